//! Who is where, and how far apart.

use replisim_experiment::{PlaceLink, Study};

use crate::chart::{Link, NetworkMap, PlaceOnMap, Unit};

/// With more places than this, only links from the first are labelled.
const MANY: usize = 6;

pub(super) fn topology(study: &Study) -> NetworkMap {
    let places = &study.places;
    let label = |link: &PlaceLink| {
        let (there, back) = (Unit::Milliseconds.write(link.there.millis()), link.back.millis());
        let back = Unit::Milliseconds.write(back);
        if there == back { there } else { format!("{there} / {back}") }
    };
    let links = places.links.iter().filter(|link| places.places.len() <= MANY || link.a == 0);
    NetworkMap {
        title: "Who is where, and how far apart".to_owned(),
        subtitle: format!("{} · mean round trips", study.loaded.scenario.name),
        links: links.map(|link| Link { a: link.a, b: link.b, label: label(link) }).collect(),
        places: places
            .places
            .iter()
            .map(|place| PlaceOnMap {
                name: place.name.clone(),
                nodes: place.nodes.clone(),
                clients: place.clients.clone(),
            })
            .collect(),
    }
}
