//! The tokens of the writes in a log: which operation each write is an attempt of, so that no other attempt is taken.
//!
//! They are as much of a member's state as what its log says: they come with entries, go when entries are taken back,
//! and outlive the trimming of the log, which says nothing of how long a client may still ask. What a client will never
//! ask about again it says itself, in every later token: so a member keeps as many as operations are open.

use std::collections::BTreeMap;

use replisim_observe::{Client, Stored};

use crate::protocol::{Token, index};

/// Tokens of logged writes, by client and operation.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct TokenTable {
    clients: BTreeMap<Client, OfClient>,
}

/// Those of one client.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
struct OfClient {
    /// Operations below this one are over.
    open: u32,
    /// The writes of the others, by operation.
    logged: BTreeMap<u32, Stored>,
}

/// What is known of an operation when one of its attempts arrives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Known {
    /// None of its attempts stands in the log.
    No,
    /// This write is one.
    Logged(Stored),
    /// It is over: its client has gone on, and this attempt has been long on its way.
    Over,
}

impl TokenTable {
    pub(super) fn know(&self, token: Token) -> Known {
        let Some(of_client) = self.clients.get(&token.client) else { return Known::No };
        match of_client.logged.get(&token.number) {
            Some(stored) => Known::Logged(*stored),
            None if token.number < of_client.open => Known::Over,
            None => Known::No,
        }
    }

    /// A write with this token stands in the log.
    pub(super) fn log(&mut self, token: Token, stored: Stored) {
        let of_client = self.clients.entry(token.client).or_default();
        if of_client.open < token.open {
            of_client.open = token.open;
            of_client.logged = of_client.logged.split_off(&token.open);
        }
        of_client.logged.insert(token.number, stored);
    }

    /// It is taken back.
    pub(super) fn unlog(&mut self, token: Token, stored: Stored) {
        let Some(of_client) = self.clients.get_mut(&token.client) else { return };
        if of_client.logged.get(&token.number) == Some(&stored) {
            of_client.logged.remove(&token.number);
        }
    }

    /// Without the writes after `position`: these will come with the log.
    pub(super) fn upto(&self, position: u64) -> TokenTable {
        let mut tokens = self.clone();
        let is_before = |stored: &Stored| index(stored.version) <= position;
        tokens.clients.values_mut().for_each(|of| of.logged.retain(|_, stored| is_before(stored)));
        tokens
    }

    /// Bytes on the wire: 8 for each client, and 20 for each operation.
    pub(super) fn bytes(&self) -> u64 {
        self.clients.values().map(|of_client| 8 + 20 * of_client.logged.len() as u64).sum()
    }
}

#[cfg(test)]
mod tests {
    use replisim_observe::{Version, Write};

    use super::*;

    fn token(number: u32, open: u32) -> Token {
        Token { client: Client(3), number, open }
    }

    fn stored(number: u64) -> Stored {
        Stored { version: Version(number), write: Write(number) }
    }

    #[test]
    fn an_operation_is_known_until_its_client_says_that_it_is_over() {
        let mut tokens = TokenTable::default();
        assert_eq!(tokens.know(token(0, 0)), Known::No);
        (0..4).for_each(|number| tokens.log(token(number, 0), stored(u64::from(number))));
        assert_eq!(tokens.know(token(2, 0)), Known::Logged(stored(2)));
        assert_eq!(tokens.know(Token { client: Client(4), ..token(2, 0) }), Known::No, "of another client");
        tokens.log(token(9, 3), stored(9));
        for (number, known) in
            [(2, Known::Over), (3, Known::Logged(stored(3))), (4, Known::No), (9, Known::Logged(stored(9)))]
        {
            assert_eq!(tokens.know(token(number, 0)), known, "{number}");
        }
        assert_eq!(tokens.bytes(), 8 + 2 * 20);
    }

    #[test]
    fn what_is_taken_back_is_not_known_but_what_came_after_it_is() {
        let mut tokens = TokenTable::default();
        tokens.log(token(0, 0), stored(1));
        tokens.unlog(token(0, 0), stored(1));
        assert_eq!(tokens.know(token(0, 0)), Known::No);
        tokens.log(token(0, 0), stored(2));
        tokens.unlog(token(0, 0), stored(1));
        assert_eq!(tokens.know(token(0, 0)), Known::Logged(stored(2)));
    }
}
