//! Fetching memory into the cache before it is needed.
//!
//! A run of a thousand nodes goes through more memory than any cache holds, in an order that no processor can guess; but
//! the event queue knows what comes next. The state that the next events will touch is fetched while the present one
//! is being handled ([`Model::foresee`](crate::run::Model::foresee)). It changes nothing but the time that a run takes:
//! `docs/performance.md` tells how much.

/// Asks for `thing` to be brought into the cache, but for the end of one that does not begin with a line of it. Does
/// nothing where the processor has no such instruction.
#[inline]
#[allow(unsafe_code)] // no safe function does it; measured: see docs/performance.md
pub fn prefetch<T: ?Sized>(thing: &T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        const LINE: usize = 64;
        let start = (&raw const *thing).cast::<i8>();
        for offset in (0..size_of_val(thing)).step_by(LINE) {
            // SAFETY: a prefetch reads nothing that the program can see, and `offset` lies within `thing`.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(start.add(offset)) };
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = thing;
}
