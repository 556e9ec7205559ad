//! What makes links worse for a while.

use replisim_engine::{Bandwidth, Duration, Share};

use crate::network::Site;

/// A change for the worse on all links from some sites to others.
#[derive(Clone, PartialEq, Debug)]
pub struct Impairment {
    /// Who sends.
    pub from: Vec<Site>,
    /// Who receives.
    pub to: Vec<Site>,
    /// Whether the way back is impaired as well.
    pub both: bool,
    /// The delay is multiplied by this.
    pub factor: f64,
    /// And lengthened by this.
    pub extra: Duration,
    /// This share is lost.
    pub loss: Share,
    /// This share arrives twice.
    pub duplicate: Share,
    /// A cap.
    pub bandwidth: Option<Bandwidth>,
}

/// A running impairment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ImpairmentId(pub(crate) u64);
