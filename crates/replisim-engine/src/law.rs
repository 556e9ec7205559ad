//! Laws of random durations, as scenarios name them ([`Law`]) and as the simulator draws from them ([`Sampler`]).
//!
//! All mathematics is `libm`'s, so that a draw has the same bits on every machine. Every law but gamma and mixture
//! inverts its distribution function: one uniform number a draw, and a larger number always gives a longer duration,
//! so that two settings compared on the same luck differ by the setting alone.

use std::fmt;

use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::normal;
use crate::random::open_unit;
use crate::time::Duration;

/// A probability law of a duration.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Law {
    /// Always the same duration.
    Constant(Duration),
    /// Anything from `least` to `most`, equally likely.
    Uniform {
        /// The shortest duration.
        least: Duration,
        /// The longest duration.
        most: Duration,
    },
    /// Exponential: memoryless, with this mean.
    Exponential {
        /// The mean.
        mean: Duration,
    },
    /// Normal; what falls below 0 becomes 0.
    Normal {
        /// The mean before the cut at 0.
        mean: Duration,
        /// The standard deviation before the cut at 0.
        sd: Duration,
    },
    /// Lognormal, given by `median` and `p99`, or by `mu` and `sigma` of the natural logarithm of milliseconds.
    Lognormal(Lognormal),
    /// Pareto: heavy tail `P(X > x) = (scale / x)^shape`. The mean is finite only for `shape` above 1.
    Pareto {
        /// The shortest duration (often written x_m).
        scale: Duration,
        /// The tail exponent (often written α).
        shape: f64,
    },
    /// Weibull: `P(X > x) = exp(−(x / scale)^shape)`.
    Weibull {
        /// The 63 % quantile (often written λ).
        scale: Duration,
        /// Below 1: heavier than exponential; above: lighter (often written k).
        shape: f64,
    },
    /// Gamma, with mean `shape × scale`.
    Gamma {
        /// Often written k.
        shape: f64,
        /// Often written θ.
        scale: Duration,
    },
    /// One of several laws, chosen for each draw by weight.
    Mixture(Vec<Part>),
    /// Another law plus a constant.
    Shifted {
        /// The constant.
        by: Duration,
        /// The law of the rest.
        law: Box<Law>,
    },
    /// Measured durations from a CSV file with a header and one column of milliseconds; between neighbouring
    /// measurements the quantile function is a straight line.
    Empirical(Empirical),
}

/// The two ways to state a lognormal law.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(extend("minProperties" = 2))]
pub struct Lognormal {
    /// Half of all durations are shorter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub median: Option<Duration>,
    /// 99 of 100 durations are shorter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99: Option<Duration>,
    /// Mean of the natural logarithm of the duration in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mu: Option<f64>,
    /// Standard deviation of the natural logarithm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sigma: Option<f64>,
}

/// One component of a mixture.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Part {
    /// How often this law is chosen, relative to the other parts.
    pub weight: f64,
    /// The law itself.
    pub law: Law,
}

/// Measured durations.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Empirical {
    /// Path of the CSV file, relative to the scenario.
    pub file: String,
    /// The durations in the file, filled in by whoever opens files.
    #[serde(skip)]
    pub durations: Vec<Duration>,
}

/// Why a law cannot be drawn from: the field that is wrong, relative to the law, and what is wrong with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LawError {
    /// Path of the offending field below the law, such as `pareto.shape`.
    pub field: String,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for LawError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

/// A checked [`Law`], ready to draw from. All lengths in nanoseconds.
#[derive(Clone, PartialEq, Debug)]
pub enum Sampler {
    #[doc(hidden)]
    Constant(f64),
    #[doc(hidden)]
    Uniform { least: f64, width: f64 },
    #[doc(hidden)]
    Exponential { mean: f64 },
    #[doc(hidden)]
    Normal { mean: f64, sd: f64 },
    #[doc(hidden)]
    Lognormal { median: f64, sigma: f64 },
    #[doc(hidden)]
    Pareto { scale: f64, shape: f64 },
    #[doc(hidden)]
    Weibull { scale: f64, shape: f64 },
    #[doc(hidden)]
    Gamma { shape: f64, scale: f64 },
    #[doc(hidden)]
    Mixture(Vec<(f64, Sampler)>),
    #[doc(hidden)]
    Shifted(f64, Box<Sampler>),
    #[doc(hidden)]
    Empirical(Vec<f64>),
}

/// The standard normal quantile of 0.99.
const Z_99: f64 = 2.326_347_874_040_841;

impl Law {
    /// Checks the parameters and makes the law ready to draw from.
    pub fn sampler(&self) -> Result<Sampler, LawError> {
        let ns = |d: &Duration| d.nanos() as f64;
        let positive = |field: &str, value: f64| {
            let usable = value > 0.0 && value.is_finite();
            if usable { Ok(value) } else { wrong(field, "must be positive and finite") }
        };
        Ok(match self {
            Law::Constant(value) => Sampler::Constant(ns(value)),
            Law::Uniform { least, most } if most < least => {
                return wrong("uniform.most", "must not be below `least`");
            }
            Law::Uniform { least, most } => {
                Sampler::Uniform { least: ns(least), width: ns(most) - ns(least) }
            }
            Law::Exponential { mean } => Sampler::Exponential { mean: ns(mean) },
            Law::Normal { mean, sd } => Sampler::Normal { mean: ns(mean), sd: ns(sd) },
            Law::Lognormal(lognormal) => lognormal.sampler()?,
            Law::Pareto { scale, shape } => {
                Sampler::Pareto { scale: ns(scale), shape: positive("pareto.shape", *shape)? }
            }
            Law::Weibull { scale, shape } => {
                Sampler::Weibull { scale: ns(scale), shape: positive("weibull.shape", *shape)? }
            }
            Law::Gamma { shape, scale } => {
                Sampler::Gamma { shape: positive("gamma.shape", *shape)?, scale: ns(scale) }
            }
            Law::Mixture(parts) => mixture(parts)?,
            Law::Shifted { by, law } => {
                let inner =
                    law.sampler().map_err(|e| LawError { field: format!("shifted.law.{}", e.field), ..e })?;
                Sampler::Shifted(ns(by), Box::new(inner))
            }
            Law::Empirical(empirical) => {
                if empirical.durations.len() < 2 {
                    return wrong("empirical.file", "needs at least two measured durations");
                }
                let mut sorted: Vec<f64> = empirical.durations.iter().map(ns).collect();
                sorted.sort_by(f64::total_cmp);
                Sampler::Empirical(sorted)
            }
        })
    }

    /// The empirical laws within this one, for whoever opens their files.
    pub fn empirical_mut(&mut self) -> Vec<&mut Empirical> {
        match self {
            Law::Empirical(empirical) => vec![empirical],
            Law::Shifted { law, .. } => law.empirical_mut(),
            Law::Mixture(parts) => parts.iter_mut().flat_map(|part| part.law.empirical_mut()).collect(),
            _ => Vec::new(),
        }
    }
}

impl Lognormal {
    fn sampler(&self) -> Result<Sampler, LawError> {
        match (self.median, self.p99, self.mu, self.sigma) {
            (Some(median), Some(p99), None, None) => {
                if p99 < median || median == Duration::ZERO {
                    return wrong("lognormal.p99", "needs 0 < median <= p99");
                }
                let (median, p99) = (median.nanos() as f64, p99.nanos() as f64);
                Ok(Sampler::Lognormal { median, sigma: libm::log(p99 / median) / Z_99 })
            }
            (None, None, Some(mu), Some(sigma)) if mu.is_finite() && (0.0..100.0).contains(&sigma) => {
                Ok(Sampler::Lognormal { median: 1e6 * libm::exp(mu), sigma })
            }
            (None, None, Some(_), Some(_)) => wrong("lognormal.sigma", "must not be negative or infinite"),
            _ => wrong("lognormal", "needs either `median` and `p99`, or `mu` and `sigma`"),
        }
    }
}

fn mixture(parts: &[Part]) -> Result<Sampler, LawError> {
    let total: f64 = parts.iter().map(|part| part.weight).sum();
    if parts.iter().any(|part| part.weight < 0.0) || !(total > 0.0 && total.is_finite()) {
        return wrong("mixture", "needs weights that are not negative and have a positive sum");
    }
    let mut below = 0.0;
    let mut cumulative = Vec::with_capacity(parts.len());
    for (i, part) in parts.iter().enumerate() {
        let sampler = part
            .law
            .sampler()
            .map_err(|e| LawError { field: format!("mixture[{i}].law.{}", e.field), ..e })?;
        below += part.weight / total;
        cumulative.push((below, sampler));
    }
    Ok(Sampler::Mixture(cumulative))
}

fn wrong<T>(field: &str, message: &str) -> Result<T, LawError> {
    Err(LawError { field: field.to_owned(), message: message.to_owned() })
}

impl Sampler {
    /// One draw, rounded to whole nanoseconds.
    #[inline]
    pub fn sample(&self, rng: &mut impl Rng) -> Duration {
        Duration::from_nanos_f64(self.sample_nanos(rng))
    }

    /// One draw in nanoseconds.
    #[inline]
    pub fn sample_nanos(&self, rng: &mut impl Rng) -> f64 {
        match self {
            Sampler::Constant(value) => *value,
            Sampler::Uniform { least, width } => least + width * open_unit(rng),
            Sampler::Exponential { mean } => -mean * libm::log1p(-open_unit(rng)),
            Sampler::Lognormal { median, sigma } => {
                median * libm::exp(sigma * normal::quantile(open_unit(rng)))
            }
            other => other.sample_rarer(rng),
        }
    }

    /// Out of line, so that the common laws are short where they are drawn from.
    #[inline(never)]
    fn sample_rarer(&self, rng: &mut impl Rng) -> f64 {
        match self {
            Sampler::Normal { mean, sd } => (mean + sd * normal::quantile(open_unit(rng))).max(0.0),
            Sampler::Pareto { scale, shape } => scale * libm::exp(-libm::log1p(-open_unit(rng)) / shape),
            Sampler::Weibull { scale, shape } => {
                scale * libm::exp(libm::log(-libm::log1p(-open_unit(rng))) / shape)
            }
            Sampler::Gamma { shape, scale } => scale * standard_gamma(*shape, rng),
            Sampler::Mixture(parts) => {
                let u = open_unit(rng);
                let part = parts.iter().find(|(below, _)| u < *below).unwrap_or(&parts[parts.len() - 1]);
                part.1.sample_nanos(rng)
            }
            Sampler::Shifted(by, inner) => by + inner.sample_nanos(rng),
            Sampler::Empirical(sorted) => {
                let position = open_unit(rng) * (sorted.len() - 1) as f64;
                let i = position as usize;
                sorted[i] + (sorted[i + 1] - sorted[i]) * (position - i as f64)
            }
            Sampler::Constant(_)
            | Sampler::Uniform { .. }
            | Sampler::Exponential { .. }
            | Sampler::Lognormal { .. } => unreachable!("drawn in place"),
        }
    }

    /// The mean in nanoseconds; `None` where it is infinite.
    pub fn mean_nanos(&self) -> Option<f64> {
        Some(match self {
            Sampler::Constant(value) => *value,
            Sampler::Uniform { least, width } => least + width / 2.0,
            Sampler::Exponential { mean } => *mean,
            Sampler::Normal { mean, sd } if *sd == 0.0 => *mean,
            Sampler::Normal { mean, sd } => {
                // E[max(0, X)] = μ Φ(μ/σ) + σ φ(μ/σ).
                let z = mean / sd;
                let cumulative = 0.5 * libm::erfc(-z / std::f64::consts::SQRT_2);
                let density = libm::exp(-z * z / 2.0) / libm::sqrt(2.0 * std::f64::consts::PI);
                mean * cumulative + sd * density
            }
            Sampler::Lognormal { median, sigma } => median * libm::exp(sigma * sigma / 2.0),
            Sampler::Pareto { shape, .. } if *shape <= 1.0 => return None,
            Sampler::Pareto { scale, shape } => scale * shape / (shape - 1.0),
            Sampler::Weibull { scale, shape } => scale * libm::tgamma(1.0 + 1.0 / shape),
            Sampler::Gamma { shape, scale } => shape * scale,
            Sampler::Mixture(parts) => {
                let mut before = 0.0;
                let mut mean = 0.0;
                for (below, part) in parts {
                    mean += (below - before) * part.mean_nanos()?;
                    before = *below;
                }
                mean
            }
            Sampler::Shifted(by, inner) => by + inner.mean_nanos()?,
            Sampler::Empirical(sorted) => {
                let steps = sorted.windows(2).map(|pair| (pair[0] + pair[1]) / 2.0);
                steps.sum::<f64>() / (sorted.len() - 1) as f64
            }
        })
    }
}

/// Marsaglia & Tsang (2000). Takes as many numbers as it needs; a link's draws have room for that.
fn standard_gamma(shape: f64, rng: &mut impl Rng) -> f64 {
    if shape < 1.0 {
        let boosted = standard_gamma(shape + 1.0, rng);
        return boosted * libm::pow(open_unit(rng), 1.0 / shape);
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / libm::sqrt(9.0 * d);
    loop {
        let x = normal::quantile(open_unit(rng));
        let v = 1.0 + c * x;
        if v <= 0.0 {
            continue;
        }
        let v = v * v * v;
        if libm::log(open_unit(rng)) < 0.5 * x * x + d * (1.0 - v + libm::log(v)) {
            return d * v;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Label;
    use crate::random::Streams;

    fn ms(text: &str) -> Duration {
        text.parse().unwrap()
    }

    fn empirical(durations: &[&str]) -> Law {
        Law::Empirical(Empirical {
            file: "x.csv".into(),
            durations: durations.iter().map(|d| ms(d)).collect(),
        })
    }

    fn lognormal() -> Law {
        Law::Lognormal(Lognormal { median: Some(ms("2ms")), p99: Some(ms("20ms")), mu: None, sigma: None })
    }

    /// The standard normal distribution function.
    fn phi(z: f64) -> f64 {
        0.5 * libm::erfc(-z / std::f64::consts::SQRT_2)
    }

    /// A law, and its distribution function in milliseconds.
    type Known = (&'static str, Law, fn(f64) -> f64);

    fn known() -> Vec<Known> {
        let exponential = |mean| Law::Exponential { mean: ms(mean) };
        vec![
            ("constant", Law::Constant(ms("3ms")), |x| if x < 3.0 { 0.0 } else { 1.0 }),
            ("uniform", Law::Uniform { least: ms("2ms"), most: ms("6ms") }, |x| {
                ((x - 2.0) / 4.0).clamp(0.0, 1.0)
            }),
            ("exponential", exponential("4ms"), |x| 1.0 - libm::exp(-x / 4.0)),
            ("normal", Law::Normal { mean: ms("2ms"), sd: ms("2ms") }, |x| phi((x - 2.0) / 2.0)),
            ("lognormal", lognormal(), |x| phi(libm::log(x / 2.0) / (libm::log(10.0) / Z_99))),
            (
                "lognormal by mu and sigma",
                Law::Lognormal(Lognormal { median: None, p99: None, mu: Some(1.0), sigma: Some(0.5) }),
                |x| phi((libm::log(x) - 1.0) / 0.5),
            ),
            ("pareto", Law::Pareto { scale: ms("3ms"), shape: 3.35 }, |x| {
                if x < 3.0 { 0.0 } else { 1.0 - libm::pow(3.0 / x, 3.35) }
            }),
            ("weibull", Law::Weibull { scale: ms("3ms"), shape: 0.7 }, |x| {
                1.0 - libm::exp(-libm::pow(x / 3.0, 0.7))
            }),
            ("gamma of shape 2", Law::Gamma { shape: 2.0, scale: ms("3ms") }, |x| {
                1.0 - libm::exp(-x / 3.0) * (1.0 + x / 3.0)
            }),
            ("gamma of shape 1/2", Law::Gamma { shape: 0.5, scale: ms("3ms") }, |x| {
                libm::erf(libm::sqrt(x / 3.0))
            }),
            (
                "mixture",
                Law::Mixture(vec![
                    Part { weight: 3.0, law: exponential("1ms") },
                    Part { weight: 1.0, law: exponential("10ms") },
                ]),
                |x| 0.75 * (1.0 - libm::exp(-x)) + 0.25 * (1.0 - libm::exp(-x / 10.0)),
            ),
            ("shifted", Law::Shifted { by: ms("15ms"), law: Box::new(exponential("5ms")) }, |x| {
                if x < 15.0 { 0.0 } else { 1.0 - libm::exp(-(x - 15.0) / 5.0) }
            }),
            ("empirical", empirical(&["1ms", "5ms", "2ms"]), |x| match x {
                x if x < 1.0 => 0.0,
                x if x < 2.0 => (x - 1.0) / 2.0,
                x if x < 5.0 => 0.5 + (x - 2.0) / 6.0,
                _ => 1.0,
            }),
        ]
    }

    #[test]
    fn every_law_has_its_analytic_mean_and_quantiles() {
        const DRAWS: usize = 100_000;
        for (name, law, distribution) in known() {
            let sampler = law.sampler().unwrap();
            let mut stream = Streams::new(1).named(name);
            let mut draws: Vec<f64> = (0..DRAWS).map(|_| sampler.sample_nanos(&mut stream) / 1e6).collect();
            draws.sort_by(f64::total_cmp);

            let mean = draws.iter().sum::<f64>() / DRAWS as f64;
            let variance = draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / DRAWS as f64;
            let error = (variance / DRAWS as f64).sqrt();
            let expected = sampler.mean_nanos().unwrap() / 1e6;
            assert!(
                (mean - expected).abs() <= 4.5 * error + 1e-9,
                "{name}: mean {mean}, not {expected} ± {error}"
            );

            if matches!(law, Law::Constant(_)) {
                continue; // no quantile but one
            }
            for p in [0.01, 0.1, 0.5, 0.9, 0.99, 0.999] {
                let quantile = draws[(p * DRAWS as f64) as usize];
                let share = distribution(quantile);
                let error = (p * (1.0 - p) / DRAWS as f64).sqrt();
                let cut_at_zero = quantile == 0.0 && share >= p;
                assert!(
                    cut_at_zero || (share - p).abs() <= 4.5 * error,
                    "{name}: the {p} quantile lies at {share}"
                );
            }
        }
    }

    #[test]
    fn draws_are_the_same_bits_on_every_machine() {
        let mut text = String::new();
        for (name, law, _) in known() {
            let sampler = law.sampler().unwrap();
            let mut stream = Streams::new(42).named(name);
            let link = Streams::new(42).link(Label::of(name));
            for i in 0..4 {
                let named = sampler.sample_nanos(&mut stream).to_bits();
                let linked = sampler.sample_nanos(&mut link.draw(Label::of("replicate"), i)).to_bits();
                text += &format!("{name}, draw {i}: {named:016x} {linked:016x}\n");
            }
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/goldens/draws.txt");
        if std::env::var_os("UPDATE_GOLDENS").is_some() {
            std::fs::write(path, &text).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap(), text, "UPDATE_GOLDENS=1 renews {path}");
    }

    #[test]
    fn laws_that_cannot_be_are_refused_by_field() {
        let pareto = |shape| Law::Pareto { scale: ms("1ms"), shape };
        let empty = Lognormal { median: None, p99: None, mu: None, sigma: None };
        for (law, field) in [
            (Law::Uniform { least: ms("2ms"), most: ms("1ms") }, "uniform.most"),
            (pareto(0.0), "pareto.shape"),
            (pareto(f64::NAN), "pareto.shape"),
            (Law::Gamma { shape: -1.0, scale: ms("1ms") }, "gamma.shape"),
            (
                Law::Lognormal(Lognormal { median: Some(ms("2ms")), p99: Some(ms("1ms")), ..empty.clone() }),
                "lognormal.p99",
            ),
            (Law::Lognormal(empty), "lognormal"),
            (Law::Mixture(vec![]), "mixture"),
            (Law::Mixture(vec![Part { weight: 1.0, law: pareto(-1.0) }]), "mixture[0].law.pareto.shape"),
            (empirical(&["1ms"]), "empirical.file"),
        ] {
            assert_eq!(law.sampler().unwrap_err().field, field, "{law:?}");
        }
    }

    #[test]
    fn a_heavy_enough_tail_has_no_mean() {
        let law = Law::Pareto { scale: ms("1ms"), shape: 1.0 };
        assert_eq!(law.sampler().unwrap().mean_nanos(), None);
    }
}
