//! Every chart of a broad table of inputs is drawn, and none may have a fault that a reader would see.

use super::lint::faults;
use super::scale::Ruler;
use super::*;

#[test]
fn charts_of_every_kind_of_data_are_readable() {
    for (name, chart) in lines_table() {
        check(&name, &Chart::Lines(chart));
    }
}

#[test]
fn maps_of_every_size_are_readable() {
    for (name, map) in map_table() {
        check(&name, &Chart::Network(map));
    }
}

#[test]
fn the_legend_names_twelve_series_and_counts_the_rest() {
    let svg = lines("many", many_series(20)).svg();
    assert!(svg.contains("series 12\n") && !svg.contains("series 13\n"), "{svg}");
    assert!(svg.contains("+ 8 more\n"));
}

#[test]
fn a_curve_of_a_single_value_stands_apart_from_the_frame() {
    let upright = |x: f64| Series::staircase("s", vec![(x, 0.0), (x, 1.0)]);
    for (name, axis, values, (left, right)) in [
        ("one at each end", Axis::log("t", Unit::Milliseconds), vec![20.0, 50.0], (24.0, 24.0)),
        ("zeros at the edge of a log axis", Axis::log("t", Unit::Milliseconds), vec![0.0], (24.0, 0.0)),
        ("in the middle", Axis::log("t", Unit::Milliseconds), vec![30.0], (0.0, 0.0)),
        ("from zero", Axis::linear("t", Unit::Milliseconds), vec![0.0, 7.0], (24.0, 24.0)),
    ] {
        let mut chart = lines(name, values.into_iter().map(upright).collect());
        chart.x = axis;
        let (lo, hi) = chart.x_interval();
        let mut x = Ruler { lo, hi, scale: chart.x.scale, pixels: (100.0, 900.0), room: (0.0, 0.0) };
        chart.make_room(&mut x);
        assert_eq!((x.pixels, x.room), ((100.0 + left, 900.0 - right), (left, right)), "{name}");
        assert!(
            x.at(0.0) < x.pixels.0 || chart.x.scale == Scale::Linear || left == 0.0,
            "zero is before the axis"
        );
        assert_eq!(faults(&chart.svg()), [""; 0], "{name}");
    }
}

#[test]
fn a_log_axis_says_where_zeros_went() {
    let mut chart = lines("zeros", vec![Series::line("s", vec![(1.0, 0.0), (2.0, 5.0)])]);
    chart.y = Axis::log("lag", Unit::Milliseconds);
    assert!(chart.svg().contains("lag (log scale, zeros at the edge)"));
}

#[test]
fn of_a_crowded_place_clients_are_named_too() {
    for (nodes, clients, shown) in [
        (1_000, 1, (10, 1)),
        (1_000, 20, (6, 5)),
        (2, 20, (2, 9)),
        (11, 1, (11, 1)),
        (12, 0, (12, 0)),
        (13, 0, (11, 0)),
    ] {
        let map = NetworkMap {
            title: "t".into(),
            subtitle: String::new(),
            places: vec![place("a", nodes, clients)],
            links: vec![],
        };
        let svg = map.svg();
        let named = |what: &str| svg.lines().filter(|line| line.starts_with(what)).count();
        assert_eq!((named("node-"), named("client-")), shown, "{nodes} nodes, {clients} clients");
        let left = nodes + clients - shown.0 - shown.1;
        assert_eq!(svg.contains(&format!("+ {left} more")), left > 0, "{nodes} nodes, {clients} clients");
        assert_eq!(faults(&svg), [""; 0]);
    }
}

#[test]
fn labels_that_find_no_spot_are_counted_in_the_subtitle() {
    let places = vec![place("a", 1, 0), place("b", 1, 0)];
    let link = |i: usize| Link { a: 0, b: 1, label: format!("a label of some length {i}") };
    let map = NetworkMap {
        title: "t".into(),
        subtitle: "scenario x".into(),
        places,
        links: (0..40).map(link).collect(),
    };
    let svg = map.svg();
    assert!(svg.contains("link labels have no room · scenario x"), "{svg}");
    assert_eq!(faults(&svg), [""; 0]);
}

/// Writes the pictures of all tables to the folder that `CHART_LOOK` names, for a person to look at.
#[test]
fn pictures_can_be_written_for_a_look() {
    let Some(folder) = std::env::var_os("CHART_LOOK") else { return };
    let charts = lines_table().into_iter().map(|(name, chart)| (name, chart.svg()));
    for (name, svg) in charts.chain(map_table().into_iter().map(|(name, map)| (name, map.svg()))) {
        let path = std::path::Path::new(&folder).join(name.replace(' ', "-"));
        std::fs::write(path.with_extension("png"), png(&svg, 1.5).unwrap()).unwrap();
        std::fs::write(path.with_extension("svg"), svg).unwrap();
    }
}

#[track_caller]
fn check(name: &str, chart: &Chart) {
    let drawn = svg(chart);
    assert_eq!(faults(&drawn), [""; 0], "{name}");
    assert_eq!(drawn, svg(chart), "{name} is drawn the same each time");
}

fn lines_table() -> Vec<(String, LineChart)> {
    let mut table = typical();
    let mut add = |name: &str, chart: LineChart| table.push((name.to_owned(), chart));
    add("zero series", lines("Nothing", vec![]));
    add("an empty series", lines("Nothing", vec![Series::line("empty", vec![])]));
    add("one point", lines("One point", vec![Series::line("single", vec![(3.0, 4.0)])]));
    let same = |y: f64| vec![Series::line("same", (0..50).map(|i| (f64::from(i), y)).collect())];
    add("all equal", lines("All equal", same(42.0)));
    add("all zero", lines("All zero", same(0.0)));
    add("all negative", lines("All negative", same(-3.0)));
    add("huge but equal", lines("Huge but equal", same(1e15)));
    let nasty = [f64::NAN, f64::INFINITY, f64::MAX, -f64::MAX, 1.0, f64::NAN, 2.0, 3.0];
    let nasty: Vec<_> = nasty.iter().enumerate().map(|(i, &y)| (i as f64, y)).collect();
    add("missing and infinite", lines("Missing values", vec![Series::line("gaps", nasty.clone())]));
    let mut chart = lines("Missing values", vec![Series::staircase("gaps", nasty)]);
    chart.y.scale = Scale::Log;
    add("missing on a log axis", chart);
    for (scale, name) in [(Scale::Linear, "linear"), (Scale::Log, "log")] {
        let wide = (-3..=9).map(|i| (libm::exp10(f64::from(i)), libm::exp10(f64::from(i)))).collect();
        let mut chart = lines("Twelve decades", vec![Series::line("wide", wide)]);
        (chart.x.scale, chart.y.scale) = (scale, scale);
        add(&format!("twelve decades {name}"), chart);
        let mut chart = lines("Zeros", same(0.0));
        (chart.x.scale, chart.y.scale) = (scale, scale);
        add(&format!("zeros {name}"), chart);
        for unit in
            [Unit::Milliseconds, Unit::Seconds, Unit::Count, Unit::PerSecond, Unit::Share, Unit::Plain]
        {
            for (lo, hi) in [(1e-3, 1e9), (0.5, 0.7), (71.0, 79.0), (1e6, 1e6 + 1.0), (999.0, 1001.0)] {
                let points = (0..200).map(|i| f64::from(i) / 199.0).map(|t| lo + t * (hi - lo));
                let mut chart = lines("Units", vec![Series::line("unit", points.map(|v| (v, v)).collect())]);
                chart.x = Axis { scale, ..Axis::linear("x", unit) };
                chart.y = Axis { scale, ..Axis::linear("y", unit) };
                add(&format!("unit {unit:?} {name} {lo} {hi}"), chart);
            }
        }
    }
    add("twelve series", lines("Twelve series", many_series(12)));
    add("twenty series", lines("Twenty series", many_series(20)));
    let mut long = many_series(12);
    for series in &mut long {
        series.name = format!("a name of forty characters for {}", series.name);
    }
    let mut chart = lines(&"A title that is much too long for one line ".repeat(4), long);
    chart.subtitle = "a subtitle that is much too long as well · ".repeat(5);
    chart.x.label = "an x axis label that never seems to come to an end ".repeat(4);
    chart.y.label = "a y axis label that never seems to come to an end ".repeat(4);
    add("long names", chart);
    let mut chart = lines("Many faults", many_series(3));
    let fault = |i: u32| Band {
        from: f64::from(i) * 4.0,
        to: f64::from(i) * 4.0 + 1.5,
        label: format!("fault number {i} of many"),
    };
    chart.bands = (0..12).map(fault).collect();
    add("many bands", chart.clone());
    chart.bands.truncate(3);
    chart.bands.push(Band { from: 30.0, to: 30.0, label: "an instant".into() });
    chart.bands.push(Band { from: 59.0, to: 1e9, label: "until long after the end of the chart".into() });
    chart.bands.push(Band { from: f64::NAN, to: 5.0, label: "never".into() });
    chart.bands.push(Band { from: 1e9, to: 2e9, label: "outside".into() });
    chart.marks = vec![Mark::X(44.0, "leader elected".into()), Mark::Y(1.2, "the target".into())];
    add("marks and bands", chart);
    let mut extreme = table_entry(&table, "long names");
    let mut add = |name: &str, chart: LineChart| table.push((name.to_owned(), chart));
    extreme.series.extend(many_series(8));
    extreme.bands = (0..60).map(fault).collect();
    extreme.marks = (0..20).map(|i| Mark::Y(f64::from(i) * 1e8, format!("level {i}"))).collect();
    extreme.y.scale = Scale::Log;
    extreme.series[0].points.push((60.0, 1e-6));
    add("everything at once", extreme);
    let mut chart = lines("Cut to a range", many_series(3));
    chart.x = Axis::linear("time", Unit::Seconds).within(10.0, 20.0);
    chart.y = Axis::linear("value", Unit::Plain).within(0.5, 1.0);
    add("cut to a range", chart);
    let mut chart = lines("Unusable ranges", many_series(2));
    chart.x = Axis::log("x", Unit::Seconds).within(-1.0, 20.0);
    chart.y = Axis::linear("y", Unit::Plain).within(f64::NAN, 1.0);
    add("unusable ranges", chart);
    let mut chart = lines("Predicted and measured", many_series(3));
    chart.series[1].style = Stroke::Dashed;
    chart.series[2].style = Stroke::Points;
    chart.series[2].points = (0..15).map(|i| (4.0 * f64::from(i), 0.3 + 0.08 * f64::from(i))).collect();
    add("strokes", chart);
    let noisy =
        (0..20_000_u32).map(|i| (f64::from(i) / 300.0, f64::from(i.wrapping_mul(2_654_435_761) >> 20)));
    add("noisy", lines("Twenty thousand points", vec![Series::line("noise", noisy.collect())]));
    table
}

fn table_entry(table: &[(String, LineChart)], name: &str) -> LineChart {
    table.iter().find(|(other, _)| other == name).map(|(_, chart)| chart.clone()).unwrap()
}

/// The charts that people will actually draw.
fn typical() -> Vec<(String, LineChart)> {
    let lag = |follower: u32| {
        let at = move |i: u32| {
            let t = f64::from(i) * 0.1;
            let wobble = f64::from(i.wrapping_mul(2_654_435_761).wrapping_add(follower * 977) >> 22) / 30.0;
            let base = 60.0 + 25.0 * f64::from(follower);
            let cut = match follower {
                2 if (20.0..30.0).contains(&t) => (t - 20.0) * 1000.0,
                2 if (30.0..33.0).contains(&t) => 10_000.0 * (1.0 - (t - 30.0) / 3.0),
                _ => 0.0,
            };
            (t, base + wobble + cut)
        };
        (0..600).map(at).collect::<Vec<_>>()
    };
    let names = ["Frankfurt", "Virginia", "Sydney"];
    let series = (0..3).map(|i| Series::staircase(names[i as usize], lag(i))).collect();
    let mut time = LineChart {
        title: "Replication lag".into(),
        subtitle: "scenario quickstart · seed 42".into(),
        x: Axis::linear("simulated time", Unit::Seconds),
        y: Axis::linear("lag behind the leader", Unit::Milliseconds),
        series,
        bands: vec![Band { from: 20.0, to: 30.0, label: "Sydney cut off".into() }],
        marks: vec![],
    };
    let mut table = vec![("lag over time".to_owned(), time.clone())];
    time.y.scale = Scale::Log;
    table.push(("lag over time log".to_owned(), time));

    let curve = |scale: f64, shape: f64| {
        let at = move |i: u32| {
            let t = f64::from(i) / 400.0;
            (60.0 + scale * libm::pow(-libm::log1p(-t), shape), t)
        };
        (0..400).map(at).collect::<Vec<_>>()
    };
    let shapes = [("leader", 40.0, 0.7), ("quorum", 120.0, 1.0), ("all replicas", 700.0, 1.4)];
    let chart = |title: &str, x: Axis, y: Axis, of: &dyn Fn(f64, f64) -> Vec<(f64, f64)>, step: bool| {
        let series = shapes
            .iter()
            .map(|&(name, scale, shape)| Series { step, ..Series::line(name, of(scale, shape)) })
            .collect();
        LineChart {
            title: title.into(),
            subtitle: "scenario quickstart · seed 42 · 40 runs".into(),
            x,
            y,
            series,
            bands: vec![],
            marks: vec![],
        }
    };
    table.push((
        "cdf".to_owned(),
        chart(
            "Write latency",
            Axis::log("latency", Unit::Milliseconds),
            Axis::linear("share of writes at most this slow", Unit::Share),
            &curve,
            true,
        ),
    ));
    table.push((
        "ccdf".to_owned(),
        chart(
            "Write latency, slowest writes",
            Axis::log("latency", Unit::Milliseconds),
            Axis::log("share of writes slower than this", Unit::Share),
            &|a, b| curve(a, b).into_iter().map(|(x, t)| (x, 1.0 - t)).chain([(9e3, 0.0)]).collect(),
            true,
        ),
    ));
    table.push((
        "t visibility".to_owned(),
        chart(
            "How soon a write is visible",
            Axis::linear("time since the write was acknowledged", Unit::Milliseconds).within(0.0, 1000.0),
            Axis::linear("share of reads that see it", Unit::Share),
            &|a, b| curve(a, b).into_iter().map(|(x, t)| (x - 60.0, t)).chain([(4e3, 1.0)]).collect(),
            false,
        ),
    ));
    let mut sweep = chart(
        "Throughput by link delay",
        Axis::linear("link delay", Unit::Milliseconds),
        Axis::linear("committed writes", Unit::PerSecond),
        &|a, b| (0..9).map(|i| f64::from(i) * 25.0).map(|x| (x, 4e4 / (a + b * x))).collect(),
        false,
    );
    sweep.marks = vec![Mark::Y(200.0, "offered load".into())];
    table.push(("sweep".to_owned(), sweep));
    table
}

fn map_table() -> Vec<(String, NetworkMap)> {
    let regions = [
        "eu-central-1",
        "us-east-1",
        "ap-southeast-2",
        "sa-east-1",
        "us-west-2",
        "ap-northeast-1",
        "eu-west-1",
        "af-south-1",
        "me-south-1",
        "ca-central-1",
        "ap-south-1",
        "eu-north-1",
        "us-gov-east-1",
    ];
    let map = |places: Vec<PlaceOnMap>, label: &dyn Fn(usize, usize) -> String| {
        let count = places.len();
        let pairs = (0..count).flat_map(|a| (a + 1..count).map(move |b| (a, b)));
        let links = pairs.map(|(a, b)| Link { a, b, label: label(a, b) }).collect();
        NetworkMap {
            title: format!("Network with {count} regions"),
            subtitle: "scenario quickstart · round trips, median / 99 %".into(),
            places,
            links,
        }
    };
    let delay = |a: usize, b: usize| format!("{} / {} ms", 40 + 31 * (b - a), 43 + 33 * (b - a));
    let mut table = Vec::new();
    for count in [0, 1, 2, 3, 4, 5, 8, 13] {
        let places = (0..count).map(|i| place(regions[i], 1 + i % 3, i % 2)).collect();
        table.push((format!("map {count}"), map(places, &delay)));
    }
    let long = "a place or a node with a name of 40 chars";
    let crowded = (0..13).map(|i| place(&format!("{long} {i}"), 2 * i, 2)).collect();
    table.push(("map crowded".to_owned(), map(crowded, &|_, _| long.to_owned())));
    let mut bad = map(vec![place("", 0, 0), place("b", 1, 0)], &delay);
    bad.links = vec![
        Link { a: 0, b: 0, label: "loop".into() },
        Link { a: 0, b: 9, label: "nowhere".into() },
        Link { a: 1, b: 0, label: String::new() },
    ];
    table.push(("map odd links".to_owned(), bad));
    table
}

fn place(name: &str, nodes: usize, clients: usize) -> PlaceOnMap {
    let named = |kind: &str, count: usize| (1..=count).map(|i| format!("{kind}-{i}")).collect();
    PlaceOnMap { name: name.to_owned(), nodes: named("node", nodes), clients: named("client", clients) }
}

fn lines(title: &str, series: Vec<Series>) -> LineChart {
    LineChart {
        title: title.to_owned(),
        subtitle: "a subtitle".to_owned(),
        x: Axis::linear("time", Unit::Seconds),
        y: Axis::linear("value", Unit::Plain),
        series,
        bands: vec![],
        marks: vec![],
    }
}

fn many_series(count: u32) -> Vec<Series> {
    let wave = |k: u32| {
        let at = move |i: u32| {
            (f64::from(i) * 0.3, 1.0 + 0.05 * f64::from(k) + 0.3 * libm::sin(f64::from(i) * 0.05))
        };
        (0..200).map(at).collect()
    };
    (0..count).map(|k| Series::line(format!("series {}", k + 1), wave(k))).collect()
}
