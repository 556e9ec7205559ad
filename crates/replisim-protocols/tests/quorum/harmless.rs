//! Messages that arrive twice, and in another order, change nothing but the number of messages.

use replisim_engine::Duration;
use replisim_protocols::quorum::Timer;
use replisim_protocols::quorum::config::{AntiEntropy, Config, Conflicts, ContactReads, Hints, ReadRepair};
use replisim_protocols::quorum::level::Level;

use crate::driver::Script;

/// A day on which all happens that can: what all show after it, who keeps what, and how clients were answered.
fn a_day(muddles: bool, set: &dyn Fn(&mut Config)) -> Script {
    let mut script = Script::new(5, |config| {
        config.read = Level::All;
        config.write = Level::Exactly(2);
        config.anti_entropy = Some(AntiEntropy { every: Duration::from_secs(10), leaves: 8 });
        set(config);
    });
    script.muddles = muddles;
    for key in 0..6 {
        script.put("a", key);
        script.put("b", key);
        script.deliver();
    }
    script.cut("c");
    (0..4).for_each(|key| script.delete("a", key));
    script.deliver();
    script.time_out("a");
    (2..6).for_each(|key| script.put("a", key));
    script.deliver();
    script.heal("c");
    for _ in 0..2 {
        if script.armed_micros("a", Timer::Handoff).is_some() {
            ["a", "d", "e"].iter().for_each(|member| script.fire(member, Timer::Handoff));
            script.deliver();
        }
    }
    (0..2).for_each(|key| script.read("b", key));
    script.deliver();
    for _ in 0..4 {
        ["a", "b", "c", "d", "e"].iter().for_each(|member| script.fire(member, Timer::Compare));
        script.deliver();
    }
    (0..6).for_each(|key| script.read("c", key));
    script.deliver();
    script
}

#[test]
fn what_arrives_twice_and_out_of_order_leaves_the_same() {
    let settings: [&dyn Fn(&mut Config); 7] = [
        &|_| {},
        &|config| config.hints = Hints::None,
        &|config| (config.copies, config.hints) = (Some(3), Hints::Sloppy),
        &|config| config.copies = Some(3),
        &|config| config.contact_reads = ContactReads::Digests,
        &|config| config.read_repair = ReadRepair::None,
        &|config| config.conflicts = Conflicts::Siblings,
    ];
    for (i, set) in settings.iter().enumerate() {
        let (plain, muddled) = (a_day(false, set), a_day(true, set));
        assert_eq!(plain.all_show(), muddled.all_show(), "setting {i}");
        let hints = |script: &Script| ["a", "b", "c", "d", "e"].map(|member| script.hints(member));
        assert_eq!(hints(&plain), hints(&muddled), "setting {i}");
        assert_eq!(plain.answers(), muddled.answers(), "setting {i}");
        assert!(plain.answers().len() >= 20, "setting {i}");
    }
}
