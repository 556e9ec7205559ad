//! Built-in maps, as measured by others; the data files stand beside the code with their source.

use replisim_engine::Duration;
use replisim_network::Map;

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

/// Puts the rows `from, to, round-trip time in ms` of a CSV text on `map`. Errors name the line.
pub fn add_csv(map: &mut Map, text: &str, place: impl Fn(&str) -> String) -> Result<(), String> {
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(text.as_bytes());
    let mut rows = 0;
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        let line = record.position().map_or(0, csv::Position::line);
        let (Some(from), Some(to), Some(rtt)) = (record.get(0), record.get(1), record.get(2)) else {
            return Err(format!(
                "line {line}: needs three columns: from, to, round-trip time in milliseconds"
            ));
        };
        if from.is_empty() || to.is_empty() {
            return Err(format!("line {line}: a place has no name"));
        }
        match rtt.parse::<f64>() {
            Ok(ms) if (0.0..=1e9).contains(&ms) => {
                map.measured(&place(from), &place(to), Duration::from_nanos_f64(ms * 1e6));
            }
            _ => return Err(format!("line {line}: `{rtt}` is not a round-trip time in milliseconds")),
        }
        rows += 1;
    }
    if rows == 0 {
        return Err("has no rows below its header: from, to, round-trip time in milliseconds".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn a_malformed_matrix_names_the_line() {
        for (text, says) in [
            ("from,to,rtt_ms\na,b,12\na,c\n", "line 3: needs three columns"),
            ("from,to,rtt_ms\na,b,NaN\n", "line 2: `NaN` is not a round-trip time"),
            ("from,to,rtt_ms\na,b,-1\n", "line 2: `-1`"),
            ("from,to,rtt_ms\na,,1\n", "line 2: a place has no name"),
            ("from,to,rtt_ms\n", "has no rows"),
            ("", "has no rows"),
        ] {
            let error = add_csv(&mut Map::new(), text, str::to_owned).unwrap_err();
            assert!(error.contains(says), "{text:?}: {error}");
        }
    }
}
