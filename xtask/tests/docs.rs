//! What the book says of tests is so.

use std::fs;
use std::path::Path;

/// All Rust code below a folder.
fn code(folder: &Path) -> String {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let text = |path: &Path| match path.extension() {
        _ if path.is_dir() => code(path),
        Some(extension) if extension == "rs" => fs::read_to_string(path).unwrap(),
        _ => String::new(),
    };
    paths.iter().map(|path| text(path)).collect()
}

#[test]
fn every_test_that_the_known_answers_name_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let code = code(&root.join("crates")) + &code(&root.join("xtask"));
    let book = fs::read_to_string(root.join("docs/known-answers.md")).unwrap();
    let names = book.split('`').skip(1).step_by(2).filter_map(|quoted| quoted.rsplit("::").next());
    // Names of tests are claims, so they are long; all else between such quotes is short, or no name.
    let is_name = |name: &&str| {
        name.split('_').count() >= 5 && name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric())
    };
    let names: Vec<&str> = names.filter(is_name).collect();
    assert!(names.len() > 40, "{names:?}");
    for name in names {
        assert!(code.contains(&format!("fn {name}(")), "there is no test `{name}`");
    }
}
