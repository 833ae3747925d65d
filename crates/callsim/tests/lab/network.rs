//! What programs measure is what the scenario says.

use super::harness::Lab;

/// Two peers, and a call that nobody needs here.
const DIAL: &str =
    "[[steps]]\nat = \"50s\"\ncaller = { dial = \"callee\" }\n[expect]\noutcome = \"connected\"\n";

fn peers(caller: &str, callee: &str, more: &str) -> String {
    format!("deadline = \"60s\"\n[peers.caller]\n{caller}\n[peers.callee]\n{callee}\n{more}\n{DIAL}")
}

const V4: [&str; 2] = ["address = [\"10.7.0.1\"]", "address = [\"10.7.0.2\"]"];

#[test]
fn a_round_trip_takes_as_long_as_the_links() {
    let link = "link = { delay = \"10ms\" }";
    let scenario = peers(&format!("{}\n{link}", V4[0]), &format!("{}\n{link}", V4[1]), "");
    let Some(lab) = Lab::of(&scenario) else { return };
    let done = lab.play(&[("callee", "echo 0.0.0.0:7000 3000"), ("caller", "ping 10.7.0.2:7000 50 20")]);
    let [came, median, ..] = done.said(1)[..] else { panic!() };
    assert!(came >= 49.0, "{came} of 50 came back");
    assert!(median >= 40.0, "{median} ms is less than four links take");
    if done.is_quiet() {
        assert!(median < 41.5, "{median} ms for 40");
    }
    assert_eq!(done.code, Some(0));
}

#[test]
fn what_a_link_loses_is_lost() {
    let lossy = format!("{}\nlink = {{ loss = \"30%\" }}", V4[0]);
    let Some(lab) = Lab::of(&peers(&lossy, V4[1], "")) else { return };
    let done = lab.play(&[("callee", "echo 0.0.0.0:7000 4000"), ("caller", "ping 10.7.0.2:7000 300 5")]);
    let came = done.said(1)[0] / 300.0;
    // 0.7 on the way up and 0.7 on the way down, 300 times: five standard deviations are 0.144.
    assert!((0.35..0.63).contains(&came), "{came} came back");
    assert!(done.verdict("LOST on the uplink") > 50 && done.verdict("LOST on the downlink") > 30);
}

#[test]
fn tcp_gets_everything_through_a_link_that_loses_segments() {
    let lossy = format!("{}\nlink = {{ delay = \"5ms\", loss = \"3%\", rate = \"8mbps\" }}", V4[0]);
    let Some(lab) = Lab::of(&peers(&lossy, V4[1], "")) else { return };
    let done = lab.play(&[("callee", "take-tcp 0.0.0.0:7000"), ("caller", "send-tcp 10.7.0.2:7000 500000")]);
    let [took, taken] = done.said(1)[..] else { panic!() };
    assert_eq!(taken, 500_000.0);
    // Half a megabyte takes half a second at 8 Mbit/s.
    assert!(took > 500.0, "{took} ms");
    // Lost, not held: the kernels' business.
    assert!(done.verdict("LOST on the uplink") > 0);
    assert_eq!(done.verdict("HELD for retransmission"), 0);
}

#[test]
fn ipv6_and_icmp_pass() {
    let caller = "address = [\"2001:db8:7::1\", \"10.7.0.1\"]\nlink = { delay = \"10ms\" }";
    let callee = "address = [\"2001:db8:7::2\", \"10.7.0.2\"]";
    let Some(lab) = Lab::of(&peers(caller, callee, "")) else { return };
    let done = lab.play(&[
        ("callee", "echo [::]:7000 4000"),
        ("caller", "ping [2001:db8:7::2]:7000 20 20"),
        ("caller", "refused 10.7.0.2:7009 5"),
        ("caller", "refused [2001:db8:7::2]:7009 5"),
    ]);
    assert!(done.said(1)[0] >= 19.0, "{:?}", done.said(1));
    for place in [2, 3] {
        let [answered, median] = done.said(place)[..] else { panic!() };
        assert_eq!(answered, 5.0);
        assert!(median >= 20.0, "{median}");
    }
}

#[test]
fn a_link_is_down_when_the_scenario_says_so() {
    let outage = "[[steps]]\nat = \"2s\"\nnetwork = { link-down = \"callee\" }\n[[steps]]\nat = \"4s\"\nnetwork = { link-up = \"callee\" }";
    let Some(lab) = Lab::of(&peers(V4[0], V4[1], outage)) else { return };
    let done = lab.play(&[("callee", "echo 0.0.0.0:7000 5000"), ("caller", "ping 10.7.0.2:7000 300 20")]);
    let [came, _, _, silence] = done.said(1)[..] else { panic!() };
    assert!((1900.0..2300.0).contains(&silence), "silent for {silence} ms instead of 2000");
    assert!((180.0..220.0).contains(&came), "{came}");
    assert!(done.verdict("DROPPED, link down") >= 80);
}

#[test]
fn a_host_hears_that_its_packets_are_too_big() {
    let narrow = format!("{}\nlink = {{ mtu = 1280 }}", V4[1]);
    let scenario = peers(V4[0], &narrow, "");
    let Some(lab) = Lab::of(&scenario) else { return };
    let done = lab.play(&[
        ("callee", "take-tcp 0.0.0.0:7001"),
        ("callee", "echo 0.0.0.0:7000 4000"),
        ("caller", "send-tcp 10.7.0.2:7001 200000"),
        ("caller", "big 10.7.0.2:7000 1400"),
    ]);
    // TCP's segments become short enough.
    assert_eq!(done.said(2)[1], 200_000.0);
    // Datagrams that are cut into fragments do not get there, and the report says how many.
    assert_eq!(done.said(3)[1], 0.0);
    assert!(done.verdict("DROPPED, longer than the link's MTU") >= 1);
    assert!(done.report["fragments_dropped"].as_u64().unwrap() >= 2);
}

/// Two peers behind NATs of these kinds, and two echoes that everybody reaches.
fn behind(nat: &str) -> String {
    let peer = |n: u8| format!("address = [\"192.168.{n}.2\"]\nnat = \"{nat}\"\npublic = \"203.0.113.{n}\"");
    format!(
        "deadline = \"60s\"\n[peers.caller]\n{}\n[peers.callee]\n{}\n[peers.first]\naddress = [\"198.51.100.1\"]\n[peers.second]\n\
         address = [\"198.51.100.2\"]\n{DIAL}",
        peer(1),
        peer(2)
    )
}

#[test]
fn a_cone_has_one_mapping_and_a_symmetric_nat_many() {
    for (nat, is_one) in [("port-restricted-cone", true), ("symmetric", false)] {
        let Some(lab) = Lab::of(&behind(nat)) else { return };
        let done = lab.play(&[
            ("first", "echo 0.0.0.0:7000 3000"),
            ("second", "echo 0.0.0.0:7000 3000"),
            ("caller", "mapped 0.0.0.0:5000 198.51.100.1:7000 198.51.100.2:7000"),
        ]);
        let [first, second] = done.said(2)[..] else { panic!() };
        assert!(first > 0.0 && second > 0.0, "{nat}: {first} {second}");
        assert_eq!(first == second, is_one, "{nat}: {first} and {second}");
    }
}

#[test]
fn two_cones_let_each_other_in_and_two_symmetric_nats_do_not() {
    for (nat, is_open) in [("port-restricted-cone", true), ("symmetric", false)] {
        let Some(lab) = Lab::of(&behind(nat)) else { return };
        // Cones of these presets keep the port.
        let done = lab.play(&[
            ("caller", "punch 0.0.0.0:5000 203.0.113.2:5000"),
            ("callee", "punch 0.0.0.0:5000 203.0.113.1:5000"),
        ]);
        assert_eq!(done.said(0)[0] > 0.0 && done.said(1)[0] > 0.0, is_open, "{nat}");
        let stopped =
            done.verdict("DROPPED by a NAT, filtered") + done.verdict("DROPPED by a NAT, no mapping");
        assert!(is_open || stopped > 10, "{nat}: {}", done.report["packets"]);
    }
}

#[test]
fn an_echo_goes_through_a_nat() {
    let Some(lab) = Lab::of(&behind("symmetric")) else { return };
    let mut command = lab.command();
    command.args([
        "--for",
        "20s",
        "--format",
        "json",
        "--exec",
        "caller",
        "ping -q -c 5 -i 0.2 198.51.100.1 > /dev/null",
    ]);
    if std::process::Command::new("ping").arg("-V").output().is_err() {
        eprintln!("SKIPPED, no ping here");
        return;
    }
    let done = lab.done(command);
    assert_eq!(done.report["programs"][0]["exit"], 0, "{}", done.report);
    assert_eq!(done.verdict("delivered"), 10);
}
