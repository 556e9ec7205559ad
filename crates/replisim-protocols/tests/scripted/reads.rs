//! Who answers which read, and when.

use replisim_observe::{Duration, Version};
use replisim_protocols::primary_backup::Failover;
use replisim_protocols::protocol::INDEX_BITS;
use replisim_protocols::{Behind, BoundedRead, Consistency, Kept, SessionRead};

use crate::driver::Script;

const SEEN: Version = Version((1 << INDEX_BITS) + 1);

fn session(behind: Behind) -> Consistency {
    Consistency::Session(SessionRead { behind })
}

fn bounded(ms: u64, behind: Behind) -> Consistency {
    Consistency::Bounded(BoundedRead { staleness: Duration::from_millis(ms), behind })
}

#[test]
fn strong_reads_and_writes_are_sent_to_the_primary() {
    let mut script = Script::new(2, |_| {});
    script.put("r1", 0);
    script.read("r1", 0, Consistency::Strong, Version(0));
    script.read("r1", 0, Consistency::Eventual, Version(0));
    script.read("p", 0, Consistency::Strong, Version(0));
    script.expect(
        "r1 answers 0: ask p
         r1 answers 1: ask p
         r1 answers 2: nothing
         p answers 3: nothing",
    );
}

#[test]
fn a_session_waits_is_sent_on_or_refused_where_its_write_is_missing() {
    let mut script = Script::new(2, |_| {});
    script.put("p", 0);
    script.ignore();
    script.read("r1", 0, session(Behind::Wait), SEEN);
    script.read("r1", 0, session(Behind::Redirect), SEEN);
    script.read("r1", 0, session(Behind::Refuse), SEEN);
    script.read("p", 0, session(Behind::Refuse), SEEN);
    script.expect(
        "r1 answers 2: ask p
         r1 answers 3: refused
         p answers 4: 1.1",
    );
    script.deliver();
    script.expect("r1 shows 0=1.1\nr1 answers 1: 1.1");
    script.read("r1", 0, session(Behind::Refuse), SEEN);
    script.expect("r1 answers 5: 1.1");
}

#[test]
fn so_many_reads_wait_and_no_more() {
    const MOST: u64 = 1 << 16;
    let mut script = Script::new(2, |_| {});
    script.put("p", 0);
    script.ignore();
    for i in 0..MOST / 2 {
        script.read("r1", 0, session(Behind::Wait), SEEN);
        script.read("r1", 0, bounded(i, Behind::Wait), Version(0));
    }
    script.expect("");
    script.read("r1", 0, session(Behind::Wait), SEEN);
    script.read("r1", 0, bounded(1, Behind::Wait), Version(0));
    script.read("r1", 0, session(Behind::Redirect), SEEN);
    script.expect(&format!(
        "r1 answers {}: refused
         r1 answers {}: refused
         r1 answers {}: ask p",
        MOST + 1,
        MOST + 2,
        MOST + 3
    ));
    script.deliver();
    script.read("r1", 0, session(Behind::Wait), Version(SEEN.0 + 1));
    script.ignore();
    script.put("p", 0);
    script.deliver();
    script.expect_answers(&format!("p answers {}: written 1.2\nr1 answers {}: 1.2", MOST + 5, MOST + 4));
}

#[test]
fn a_bounded_read_goes_by_the_last_heartbeat_whose_position_is_applied() {
    let mut script = Script::new(2, |_| {});
    script.read("r1", 0, bounded(10_000, Behind::Refuse), Version(0));
    script.expect("r1 answers 0: refused"); // it has not heard anything yet
    script.clock(100);
    script.beat("p");
    script.clock(150);
    for (ms, expected) in [(49, "refused"), (50, "nothing")] {
        script.read("r1", 0, bounded(ms, Behind::Refuse), Version(0));
        script.expect(&format!("r1 answers {}: {expected}", ms - 48));
    }
    script.read("r1", 0, bounded(49, Behind::Redirect), Version(0));
    script.read("p", 0, bounded(0, Behind::Refuse), Version(0));
    script.expect("r1 answers 3: ask p\np answers 4: nothing");

    // A heartbeat tells of a write that is not there yet: knowing of it makes nobody fresh.
    script.put("p", 0);
    script.drop_from_to("p", "r1");
    script.ignore();
    script.clock(200);
    script.read("r1", 0, bounded(60, Behind::Wait), Version(0));
    script.beat("p");
    script.read("r1", 0, bounded(99, Behind::Refuse), Version(0));
    script.expect("r1 answers 7: refused");
    script.beat("p"); // what is missing is fetched now
    script.expect("r1 shows 0=1.1\nr1 answers 6: 1.1");
}

#[test]
fn a_member_that_recovers_serves_eventual_reads() {
    let mut script = Script::new(3, |config| config.failover = Failover::Manual);
    script.put("p", 0);
    script.deliver();
    script.ignore();
    script.crash("r1", Kept::Synced);
    script.restart("r1");
    script.read("r1", 0, Consistency::Eventual, Version(0));
    script.read("r1", 0, Consistency::Strong, Version(0));
    script.expect("r1 answers 1: 1.1\nr1 answers 2: ask somebody else");
    script.beat("p");
    script.read("r1", 0, Consistency::Strong, Version(0));
    script.expect("r1 answers 3: ask p");
}

#[test]
fn a_session_does_not_wait_for_a_write_that_history_has_excluded() {
    let mut script = Script::new(2, |config| (config.failover, config.fencing) = (Failover::Manual, false));
    script.put("p", 0);
    script.drop_from_to("p", "r1");
    script.crash("p", Kept::Written);
    script.order("r1");
    script.ignore();
    script.read("r1", 0, session(Behind::Wait), SEEN);
    script.expect("r1 answers 1: nothing");
}
