//! Binary search in a queue that is mostly asked about its end.

use std::collections::VecDeque;

/// How many elements, from the first on, satisfy `is_before`, which must hold for all of them and for none after them.
/// As quick as that place is near the end.
#[inline]
pub(crate) fn count_before<T>(queue: &VecDeque<T>, is_before: impl Fn(&T) -> bool) -> usize {
    let len = queue.len();
    let mut step = 1;
    while step <= len && !is_before(&queue[len - step]) {
        step *= 2;
    }
    // What is `step` from the end comes before; what is half of that from the end does not.
    let (mut low, mut high) = ((len + 1).saturating_sub(step), len - step / 2);
    while low < high {
        let middle = (low + high) / 2;
        if is_before(&queue[middle]) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_found_wherever_it_is() {
        for len in 0..40 {
            let queue: VecDeque<usize> = (0..len).collect();
            for place in 0..=len {
                assert_eq!(count_before(&queue, |i| *i < place), place, "of {len}");
            }
        }
    }
}
