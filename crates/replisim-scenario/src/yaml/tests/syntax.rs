//! What a person reads when a file is not the YAML that we take.

use super::check;

#[test]
fn a_duplicate_key_shows_both_places() {
    check(
        r"
        duration: 1s
        seed: 1
        name: x
        seed: 2
        ",
        &[],
        r"
            error: the key `seed` is given twice
              --> test.yaml:4:1
               |
             4 | seed: 2
               | ^^^^ first given in line 2
               |
               = help: remove this one or the one in line 2, column 1
        ",
    );
}

#[test]
fn a_duplicate_key_in_a_list_of_nodes() {
    check(
        r"
        duration: 1s
        nodes: { p: Dallas/dal10, r1: Dallas/dal12, p: Frankfurt/fra02 }
        ",
        &[],
        r"
            error: the key `p` is given twice
              --> test.yaml:2:45
               |
             2 | nodes: { p: Dallas/dal10, r1: Dallas/dal12, p: Frankfurt/fra02 }
               |                                             ^ first given in line 2
               |
               = help: remove this one or the one in line 2, column 10
        ",
    );
}

#[test]
fn an_unclosed_bracket() {
    check(
        r"
        duration: 1s
        expect: [a, b
        ",
        &[],
        r"
            error: this `[` is never closed
              --> test.yaml:2:9
               |
             2 | expect: [a, b
               |         ^
               |
               = help: end it with `]`
        ",
    );
}

#[test]
fn an_unclosed_quote() {
    check(
        r"
        duration: 1s
        name: 'readers
        seed: 1
        ",
        &[],
        r"
            error: this quote is never closed
              --> test.yaml:2:7
               |
             2 | name: 'readers
               |       ^
               |
               = help: end the text with the same quote
        ",
    );
}

#[test]
fn a_colon_too_many() {
    check(
        r"
        duration: 1s
        name: a: b
        ",
        &[],
        r"
            error: a `:` is not allowed here
              --> test.yaml:2:8
               |
             2 | name: a: b
               |        ^
               |
               = help: check the indentation of this line and the one above; quote a text that contains `: `
        ",
    );
}

#[test]
fn a_line_without_a_key() {
    check(
        r"
        duration: 1s
        name
        seed: 1
        ",
        &[],
        r"
            error: expected `key: value`
              --> test.yaml:2:1
               |
             2 | name
               | ^
               |
               = help: put a `:` and a space after the key
        ",
    );
}

#[test]
fn a_wrong_indentation() {
    check(
        r"
        duration: 1s
          seed: 1
        ",
        &[],
        r"
            error: a `:` is not allowed here
              --> test.yaml:2:7
               |
             2 |   seed: 1
               |       ^
               |
               = help: check the indentation of this line and the one above; quote a text that contains `: `
        ",
    );
}

#[test]
fn an_at_sign() {
    check(
        r"
        duration: 1s
        name: @home
        ",
        &[],
        r"
            error: a value cannot start with `@`
              --> test.yaml:2:7
               |
             2 | name: @home
               |       ^
               |
               = help: put the value in quotes
        ",
    );
}

#[test]
fn a_merge_key() {
    check(
        r"
        duration: 1s
        latency:
          <<: { constant: 1s }
        ",
        &[],
        r"
            error: merge keys (`<<`) are not supported
              --> test.yaml:3:3
               |
             3 |   <<: { constant: 1s }
               |   ^^
               |
               = help: repeat the entries, or use an alias for the whole value
        ",
    );
}

#[test]
fn a_tag() {
    check(
        r"
        duration: 1s
        name: !!str 5
        ",
        &[],
        r"
            error: tags such as `!!str` are not supported
              --> test.yaml:2:13
               |
             2 | name: !!str 5
               |             ^
               |
               = help: remove the tag; quotes make a string of anything
        ",
    );
}

#[test]
fn an_unknown_alias() {
    check(
        r"
        duration: 1s
        name: *other
        ",
        &[],
        r"
            error: no anchor (`&name`) above has the name of this alias
              --> test.yaml:2:7
               |
             2 | name: *other
               |       ^
               |
               = help: put a text that begins with `*` in quotes
        ",
    );
}

#[test]
fn a_list_as_a_key() {
    check(
        r"
        duration: 1s
        ? [a, b]
        : c
        ",
        &[],
        r"
            error: a key must be text, not a list, a map or an alias
              --> test.yaml:2:3
               |
             2 | ? [a, b]
               |   ^
        ",
    );
}

#[test]
fn a_second_document() {
    check(
        r"
        duration: 1s
        ---
        duration: 2s
        ",
        &[],
        r"
            error: a second document starts here
              --> test.yaml:2:1
               |
             2 | ---
               | ^^^
               |
               = help: a file holds one document: remove the `---`
        ",
    );
}
