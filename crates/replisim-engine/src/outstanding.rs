//! A table of things that are numbered in the order in which they begin, and of which most end soon.
//!
//! The idea: a ring of places, four bytes each, leads from the numbers to the things themselves, whose places are used
//! again, the last one first. So what is touched is as large as what is open, and stays in the cache, though the ring spans
//! everything since the oldest that is open. (Records that may stay for very long want more: see `replisim-measure`'s
//! `records`, which moves those out of its ring.)

use std::collections::VecDeque;

/// Things of type `T` that have begun and not ended, by number.
#[derive(Clone, Debug)]
pub struct Outstanding<T> {
    /// The number of the first in the ring; it is open.
    first: u64,
    places: VecDeque<u32>,
    things: Vec<Option<T>>,
    free: Vec<u32>,
}

/// The place of what has ended.
const ENDED: u32 = u32::MAX;

impl<T> Default for Outstanding<T> {
    fn default() -> Self {
        Outstanding { first: 0, places: VecDeque::new(), things: Vec::new(), free: Vec::new() }
    }
}

impl<T> Outstanding<T> {
    /// A thing begins: the next one; returns its number.
    #[inline]
    pub fn begin(&mut self, thing: T) -> u64 {
        let place = match self.free.pop() {
            Some(place) => {
                self.things[place as usize] = Some(thing);
                place
            }
            None => {
                self.things.push(Some(thing));
                self.things.len() as u32 - 1
            }
        };
        self.places.push_back(place);
        self.first + self.places.len() as u64 - 1
    }

    /// A thing of this number begins. It must be the next one, unless nothing is open.
    #[inline]
    pub fn begin_as(&mut self, number: u64, thing: T) {
        if self.places.is_empty() {
            self.first = number;
        }
        let next = self.begin(thing);
        debug_assert_eq!(next, number, "numbers come in order");
    }

    /// The thing of this number, if it is open.
    #[inline]
    pub fn get(&self, number: u64) -> Option<&T> {
        self.things[self.place(number)?].as_ref()
    }

    /// The same, to change it.
    #[inline]
    pub fn get_mut(&mut self, number: u64) -> Option<&mut T> {
        let place = self.place(number)?;
        self.things[place].as_mut()
    }

    /// Ends a thing, and returns it; nothing if it has ended before.
    #[inline]
    pub fn end(&mut self, number: u64) -> Option<T> {
        let place = self.place(number)?;
        self.places[(number - self.first) as usize] = ENDED;
        while self.places.front() == Some(&ENDED) {
            self.places.pop_front();
            self.first += 1;
        }
        self.free.push(place as u32);
        self.things[place].take()
    }

    /// The one that began first of those that are open.
    #[inline]
    pub fn oldest(&self) -> Option<&T> {
        self.things[*self.places.front()? as usize].as_ref()
    }

    /// How many are open.
    pub fn len(&self) -> usize {
        self.things.len() - self.free.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    #[inline]
    fn place(&self, number: u64) -> Option<usize> {
        let i = number.checked_sub(self.first)?;
        self.places.get(i as usize).filter(|place| **place != ENDED).map(|place| *place as usize)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rand::Rng;

    use super::*;
    use crate::random::{Streams, below};

    #[test]
    fn it_behaves_as_an_ordered_map_in_as_much_room_as_is_open() {
        let mut stream = Streams::new(3).named("outstanding");
        let (mut table, mut map, mut most) = (Outstanding::default(), BTreeMap::new(), 0);
        for step in 0..20_000u64 {
            if below(&mut stream, 2) == 0 || map.len() > 50 {
                // One that is open, or has ended, or is still to come.
                let number = step.saturating_sub(below(&mut stream, 200)) / 2;
                assert_eq!(table.end(number), map.remove(&number));
            } else {
                let thing = stream.next_u64();
                let number = table.begin(thing);
                assert!(map.last_key_value().is_none_or(|(last, _)| *last < number));
                map.insert(number, thing);
            }
            most = most.max(map.len());
            assert_eq!((table.len(), table.is_empty()), (map.len(), map.is_empty()));
            assert_eq!(table.oldest(), map.first_key_value().map(|(_, thing)| thing));
            let number = below(&mut stream, step + 1);
            assert_eq!(table.get(number), map.get(&number));
            assert_eq!(table.get_mut(number), map.get_mut(&number));
        }
        assert_eq!(table.things.len(), most);
    }

    #[test]
    fn numbers_may_jump_while_nothing_is_open() {
        let mut table = Outstanding::default();
        table.begin_as(7, 'a');
        assert_eq!(table.get(7), Some(&'a'));
        assert_eq!(table.end(7), Some('a'));
        table.begin_as(20, 'b');
        assert_eq!((table.get(8), table.get(20)), (None, Some(&'b')));
    }
}
