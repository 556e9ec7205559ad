//! Built-in maps, as measured by others; the data files stand beside the code with their source.

use replisim_network::Map;

use crate::rtts::{self, Row};

/// A built-in map.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Preset {
    /// Its name in YAML.
    pub name: &'static str,
    /// Where the numbers come from.
    pub source: &'static str,
    regions: &'static str,
    /// Zone-to-zone times, and the place that each zone is called here.
    zones: Option<(&'static str, &'static str)>,
}

/// All built-in maps.
pub const PRESETS: &[Preset] = &[
    Preset {
        name: "ibm-cloud",
        source: "IBM Cloud VPC documentation, network latency dashboards, 18 Jul – 16 Aug 2026, netperf TCP_RR between \
                 virtual servers; means, each direction measured by itself",
        regions: include_str!("../presets/ibm-cloud-regions.csv"),
        zones: Some((
            include_str!("../presets/ibm-cloud-zones.csv"),
            include_str!("../presets/ibm-cloud-places.csv"),
        )),
    },
    Preset {
        name: "aws",
        source: "credited to cloudping.co by the libp2p project; an undated sample in whole milliseconds",
        regions: include_str!("../presets/aws-regions.csv"),
        zones: None,
    },
];

impl Preset {
    /// The preset called `name`.
    pub fn find(name: &str) -> Option<&'static Preset> {
        PRESETS.iter().find(|preset| preset.name == name)
    }

    /// The regions on it, in alphabetical order.
    pub fn places(&self) -> Vec<String> {
        let mut map = Map::new();
        let drawn = self.draw(&mut map);
        let regions = map.names().filter(|name| !name.contains('/')).map(str::to_owned).collect();
        drawn.map_or(Vec::new(), |()| regions)
    }

    /// Puts its places and times on `map`.
    pub fn draw(&self, map: &mut Map) -> Result<(), String> {
        add_csv(map, self.regions, str::to_owned)?;
        let Some((zones, places)) = self.zones else { return Ok(()) };
        let mut reader = csv::Reader::from_reader(places.as_bytes());
        let names: Vec<csv::StringRecord> =
            reader.records().collect::<Result<_, _>>().map_err(|e| e.to_string())?;
        let place = |zone: &str| {
            let found = names.iter().find(|row| row.get(0) == Some(zone));
            found.and_then(|row| row.get(1)).unwrap_or(zone).to_owned()
        };
        add_csv(map, zones, place)
    }
}

/// Puts the rows of a file of round-trip times on `map`, its places as `place` calls them.
pub fn add_csv(map: &mut Map, text: &str, place: impl Fn(&str) -> String) -> Result<(), String> {
    for Row { from, to, rtt } in rtts::read(text).map_err(|problem| problem.to_string())? {
        map.measured(&place(&from), &place(&to), rtt);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use replisim_engine::Duration;

    use super::*;

    #[test]
    fn presets_hold_what_was_measured() {
        for (preset, a, b, one_way_us) in [
            ("ibm-cloud", "Dallas/dal10", "Frankfurt/fra02", 61_500),
            ("ibm-cloud", "Frankfurt/fra02", "Dallas/dal10", 62_000),
            ("ibm-cloud", "Dallas/dal10", "Dallas/dal12", 1_005),
            ("ibm-cloud", "Frankfurt/fra02", "Frankfurt/fra02", 50),
            ("ibm-cloud", "Montreal/mon04-a", "Montreal/mon04-a", 35),
            ("aws", "af-south-1", "ap-east-1", 120_000),
            ("aws", "af-south-1", "af-south-1", 1_500),
        ] {
            let mut map = Map::new();
            Preset::find(preset).unwrap().draw(&mut map).unwrap();
            let find = |name: &str| map.find(name).unwrap_or_else(|| panic!("{name} is on the map"));
            let measured = map.one_way(find(a), find(b)).unwrap();
            let expected = Duration::from_micros(one_way_us);
            let difference = measured.nanos().abs_diff(expected.nanos());
            assert!(difference <= 1_000, "{a} → {b}: {measured}, not {expected}");
        }
    }
}
