//! Leaderless quorums in one of their many ways, and what only they make of clocks, deletes and concurrent writes.

/// The protocol, drawn from all that it can be set to.
pub(crate) fn protocol(draw: &mut impl FnMut(u64) -> u64, nodes: u64) -> String {
    let copies = 1 + draw(nodes);
    let siblings = draw(4) == 0;
    let coordinator = ["client", "any", "replica"][if siblings { 2 } else { draw(3) as usize }];
    let hints = match draw(3) {
        0 => "none",
        1 if copies < nodes && !siblings => "sloppy",
        _ => "coordinator",
    };
    let mut level = |others: u64| match draw(6 + others) {
        0 => (1 + draw(copies)).to_string(),
        // Levels by region need a copy of each key in each.
        i @ 2..=4 if copies < nodes => ["one", "quorum", "all"][i as usize - 2].to_owned(),
        i => ["one", "quorum", "local-one", "local-quorum", "each-quorum", "all", "any"][i as usize % 7]
            .to_owned(),
    };
    let (read, write) = (level(0), level(if coordinator == "client" { 0 } else { 1 }));
    let conflicts = if siblings {
        "siblings".to_owned()
    } else {
        format!("{{ last-writer-wins: {{ timestamps: {} }} }}", ["client", "coordinator"][draw(2) as usize])
    };
    let anti_entropy = match draw(2) {
        0 => String::new(),
        _ => format!("anti-entropy: {{ every: {}ms, leaves: {} }}, ", 20 + draw(300), 1 + draw(16)),
    };
    format!(
        "protocol: {{ quorum: {{ copies: {copies}, read: {read}, write: {write}, coordinator: {coordinator}, \
         contact-reads: {}, contact-writes: {}, conflicts: {conflicts}, read-repair: {}, hints: {hints}, \
         handoff-every: {}ms, hint-window: {}ms, {anti_entropy}gc-grace: {}ms, commit-log: {}, timeout: {}ms, \
         probe-every: {}ms }} }}\n",
        ["all", "quorum", "digests"][draw(3) as usize],
        ["all", "all", "quorum"][draw(3) as usize],
        ["none", "blocking", "{ probability: 50% }"][draw(3) as usize],
        20 + draw(300),
        [100, 100_000][draw(2) as usize],
        [50, 300, 100_000][draw(3) as usize],
        ["batch", "periodic"][draw(2) as usize],
        50 + draw(500),
        20 + draw(200),
    )
}

/// What a workload writes.
pub(crate) fn writes(draw: &mut impl FnMut(u64) -> u64) -> &'static str {
    ["put", "put", "read-modify-write", "set-add"][draw(4) as usize]
}

/// Clocks that are wrong, and two clients that write and delete one key.
pub(crate) fn extras(draw: &mut impl FnMut(u64) -> u64) -> String {
    let mut yaml = String::new();
    if draw(2) == 0 {
        yaml += &format!(
            "clocks: {{ n0: {{ offset: {}ms }}, n1: {{ drift: {}ppm }} }}\n",
            draw(300),
            draw(90_000)
        );
    }
    yaml += "clients: { alice: r0/z0, bob: r1/z1 }\nscript:\n";
    let mut at = 0;
    for _ in 0..4 + draw(8) {
        at += 1 + draw(100);
        let client = ["alice", "bob"][draw(2) as usize];
        let step = ["put", "delete", "delete", "get", "read-modify-write"][draw(5) as usize];
        yaml += &format!("  - {{ at: {at}ms, client: {client}, {step}: cart, timeout: 500ms }}\n");
    }
    yaml
}
