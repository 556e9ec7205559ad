//! Profiles: what the settings of a scenario come to for one pair of sites.
//!
//! A profile is made when its link is first used, and kept by pair of places, so that a thousand sites in a thousand
//! zones cost what they use. Whatever could go wrong in the making is checked before a run starts.

use std::collections::BTreeMap;
use std::sync::Arc;

use replisim_engine::random::LinkDraw;
use replisim_engine::{Bandwidth, Duration, Law, Sampler};

use crate::map::{Map, Place};
use crate::message::{Site, SiteSpec, Traffic};
use crate::settings::{
    BUFFER, LinkClass, LinkSettings, NetworkSettings, RETRANSMISSION_TIMEOUT, USER_TIMEOUT, WINDOW,
};

/// How messages on a link behave.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Profile {
    /// The law of the link as a whole, then those of kinds that have their own.
    laws: Vec<Delay>,
    /// Which of them each kind of message has.
    law_of: [u8; Traffic::COUNT],
    pub(crate) ordered: bool,
    pub(crate) loss: f64,
    pub(crate) duplicate: f64,
    pub(crate) bandwidth: Option<Bandwidth>,
    pub(crate) tcp: TcpTerms,
}

/// The settings of a TCP connection.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct TcpTerms {
    pub(crate) buffer: u64,
    pub(crate) window: u64,
    pub(crate) retransmission_timeout: Duration,
    pub(crate) user_timeout: Duration,
}

/// The law of a one-way delay.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Delay {
    /// Always this long.
    Constant(Duration),
    /// `floor + scale × draw` nanoseconds.
    Scaled { floor: f64, scale: f64, law: Sampler },
}

/// All profiles made so far, and what more of them are made from.
#[derive(Clone, Debug)]
pub(crate) struct Profiles {
    source: Arc<Source>,
    made: Vec<Profile>,
    of_places: BTreeMap<(Place, Place, bool), u32>,
    of_pair: BTreeMap<(Site, Site), u32>,
}

#[derive(Debug)]
struct Source {
    map: Map,
    sites: Vec<SiteSpec>,
    /// By [`LinkClass`].
    classes: [LinkSettings; 4],
    pairs: BTreeMap<(Site, Site), LinkSettings>,
}

impl Delay {
    #[inline]
    pub(crate) fn sample(&self, draw: &mut LinkDraw) -> Duration {
        match self {
            Delay::Constant(delay) => *delay,
            Delay::Scaled { floor, scale, law } => {
                Duration::from_nanos_f64(floor + scale * law.sample_nanos(draw))
            }
        }
    }

    /// The mean, or where it is infinite something larger than any finite one.
    pub(crate) fn mean(&self) -> Duration {
        match self {
            Delay::Constant(delay) => *delay,
            Delay::Scaled { floor, scale, law } => match law.mean_nanos() {
                Some(mean) => Duration::from_nanos_f64(floor + scale * mean),
                None => Duration::from_nanos(u64::MAX / 4),
            },
        }
    }
}

impl Profile {
    /// Whether everything that is put on the wire leaves at once and arrives.
    #[inline]
    pub(crate) fn is_boundless(&self) -> bool {
        self.loss == 0.0 && self.bandwidth.is_none()
    }

    /// The law of the delay of a kind of message; of the link as a whole if it is none.
    #[inline]
    pub(crate) fn delay(&self, kind: Option<Traffic>) -> &Delay {
        &self.laws[kind.map_or(0, |kind| self.law_of[kind as usize] as usize)]
    }
}

impl Profiles {
    /// What can be said about all pairs of `sites`. Fails with a sentence where two of them have no delay, or a law is
    /// wrong.
    pub(crate) fn new(
        map: &Map,
        sites: Vec<SiteSpec>,
        settings: &NetworkSettings,
    ) -> Result<Profiles, String> {
        for (_, block) in settings.blocks() {
            let samplers = [&block.latency, &block.jitter].map(|law| law.as_ref().map(Law::sampler));
            let [latency, jitter] = samplers.map(Option::transpose);
            latency.map_err(|error| error.to_string())?;
            let jitter = jitter.map_err(|error| error.to_string())?;
            if jitter.is_some_and(|law| law.mean_nanos().is_none_or(|mean| !mean.is_finite())) {
                return Err("jitter needs a law with a finite mean".to_owned());
            }
        }
        let free = LinkSettings { latency: Some(Law::Constant(Duration::ZERO)), ..LinkSettings::default() };
        let mut classes =
            [LinkClass::SameNode, LinkClass::SameZone, LinkClass::SameRegion, LinkClass::CrossRegion]
                .map(|class| settings.class(class));
        classes[0] = classes[0].or(&free);
        let mut source = Source { map: map.clone(), sites, classes, pairs: BTreeMap::default() };
        for pair in &settings.links {
            for (from, to) in pair.directions().ok_or("a link needs `between`, or `from` and `to`")? {
                let find = |name: &str| {
                    let position = source.sites.iter().position(|site| site.name == name);
                    position.map(|i| Site(i as u32)).ok_or_else(|| format!("no node `{name}`"))
                };
                let (from, to) = (find(from)?, find(to)?);
                let merged = pair.settings().or(source.class(from, to));
                source.pairs.insert((from, to), merged); // the last word about a pair counts
            }
        }
        source.check_delays()?;
        Ok(Profiles {
            source: Arc::new(source),
            made: Vec::new(),
            of_places: BTreeMap::new(),
            of_pair: BTreeMap::new(),
        })
    }

    pub(crate) fn sites(&self) -> &[SiteSpec] {
        &self.source.sites
    }

    #[inline]
    pub(crate) fn get(&self, profile: u32) -> &Profile {
        &self.made[profile as usize]
    }

    /// The profile of messages from `from` to `to`, made if it is new.
    pub(crate) fn of(&mut self, from: Site, to: Site) -> u32 {
        let source = &self.source;
        let next = self.made.len() as u32;
        let found = if source.pairs.contains_key(&(from, to)) {
            *self.of_pair.entry((from, to)).or_insert(next)
        } else {
            let places = (source.place(from), source.place(to), from == to);
            *self.of_places.entry(places).or_insert(next)
        };
        if found == next {
            self.made.push(source.profile(from, to));
        }
        found
    }

    /// The mean one-way delay from `from` to `to`.
    pub(crate) fn mean(&self, from: Site, to: Site) -> Duration {
        let source = &self.source;
        let settings = source.settings(from, to);
        source.delay(from, to, &settings.latency, &settings.jitter).mean()
    }
}

impl Source {
    fn place(&self, site: Site) -> Place {
        self.sites[site.index()].place
    }

    fn class(&self, from: Site, to: Site) -> &LinkSettings {
        let class = match from == to {
            true => LinkClass::SameNode,
            false => self.map.class(self.place(from), self.place(to)),
        };
        &self.classes[class as usize]
    }

    fn settings(&self, from: Site, to: Site) -> &LinkSettings {
        self.pairs.get(&(from, to)).unwrap_or_else(|| self.class(from, to))
    }

    /// That every two sites whose link needs a delay from the map have one. Regions first: there are few of them.
    fn check_delays(&self) -> Result<(), String> {
        let mut sites_in: BTreeMap<Place, BTreeMap<Place, Vec<Site>>> = BTreeMap::new();
        for (i, site) in self.sites.iter().enumerate() {
            let zones = sites_in.entry(self.map.region(site.place)).or_default();
            zones.entry(site.place).or_default().push(Site(i as u32));
        }
        for (from, from_zones) in &sites_in {
            for (to, to_zones) in &sites_in {
                if self.map.one_way(*from, *to).is_some() {
                    continue;
                }
                let zones = from_zones.iter().flat_map(|a| to_zones.iter().map(move |b| (a, b)));
                let unmeasured = zones.filter(|((a, _), (b, _))| self.map.one_way(**a, **b).is_none());
                let mut pairs = unmeasured.flat_map(|((_, from), (_, to))| {
                    from.iter().flat_map(move |from| to.iter().map(move |to| (*from, *to)))
                });
                if pairs.any(|(from, to)| needs_the_map(self.settings(from, to))) {
                    let (from, to) = (self.map.name(*from), self.map.name(*to));
                    return Err(format!("no round-trip time from `{from}` to `{to}`"));
                }
            }
        }
        Ok(())
    }

    fn profile(&self, from: Site, to: Site) -> Profile {
        let settings = self.settings(from, to);
        let mut laws = vec![self.delay(from, to, &settings.latency, &settings.jitter)];
        let law_of = settings.kinds.all().map(|kind| match kind.is_empty() {
            true => 0,
            false => {
                laws.push(self.delay(from, to, &kind.latency, &kind.jitter));
                laws.len() as u8 - 1
            }
        });
        let timeout = settings.retransmission_timeout.unwrap_or(RETRANSMISSION_TIMEOUT);
        Profile {
            laws,
            law_of,
            ordered: settings.ordered.unwrap_or(true),
            loss: settings.loss.map_or(0.0, |share| share.get()),
            duplicate: settings.duplicate.map_or(0.0, |share| share.get()),
            bandwidth: settings.bandwidth,
            tcp: TcpTerms {
                buffer: settings.buffer.unwrap_or(BUFFER).get(),
                window: settings.window.unwrap_or(WINDOW).get(),
                retransmission_timeout: timeout,
                user_timeout: settings.user_timeout.unwrap_or(USER_TIMEOUT),
            },
        }
    }

    fn delay(&self, from: Site, to: Site, latency: &Option<Law>, jitter: &Option<Law>) -> Delay {
        let sampler = |law: &Law| law.sampler().expect("laws are checked before a run");
        if let Some(latency) = latency {
            return match latency {
                Law::Constant(delay) => Delay::Constant(*delay),
                law => Delay::Scaled { floor: 0.0, scale: 1.0, law: sampler(law) },
            };
        }
        let base =
            self.map.one_way(self.place(from), self.place(to)).expect("delays are checked before a run");
        jitter.as_ref().map_or(Delay::Constant(base), |law| jittered(base, sampler(law)))
    }
}

fn needs_the_map(settings: &LinkSettings) -> bool {
    settings.latency.is_none() || settings.kinds.all().iter().any(|kind| kind.jitter.is_some())
}

/// Variation around `base` that leaves the mean where it is.
fn jittered(base: Duration, law: Sampler) -> Delay {
    let mean = law.mean_nanos().expect("laws are checked before a run");
    if mean == 0.0 {
        return Delay::Constant(base);
    }
    let base = base.nanos() as f64;
    let varying = mean.min(base);
    Delay::Scaled { floor: base - varying, scale: varying / mean, law }
}
