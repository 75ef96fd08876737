//! A service that lies in one zone.

use super::*;

/// Nodes that take no tasks for as long as the test needs it.
struct Cordoned<'a>(&'a Client, Vec<String>);

impl Drop for Cordoned<'_> {
    fn drop(&mut self) {
        self.1.iter().for_each(|node| drop(self.0.attempt(&["uncordon", node])));
    }
}

/// How many pods of the workload are in each zone.
fn by_zone(workload: &Workload, zones: &[(String, String)]) -> Vec<usize> {
    let on = |zone: &str| {
        let there = |pod: &&String| zones.iter().any(|(node, of)| of == zone && pod.split('|').nth(1) == Some(node));
        workload.pods().iter().filter(there).count()
    };
    ["eu-a", "eu-b", "eu-c"].map(on).to_vec()
}

#[test]
fn spreads_a_service_over_the_zones_and_says_when_nothing_can_be_won() {
    let kubectl = Client::kubectl();
    let labels =
        "get nodes -o jsonpath={range.items[*]}{.metadata.name}={.metadata.labels.topology\\.kubernetes\\.io/zone}{\"\\n\"}{end}";
    let nodes = kubectl.run(labels);
    let zones: Vec<(String, String)> =
        nodes.lines().filter_map(|line| line.split_once('=')).map(|(node, zone)| (node.into(), zone.into())).collect();
    let others: Vec<String> = zones.iter().filter(|(_, zone)| zone != "eu-a").map(|(node, _)| node.clone()).collect();
    assert!(others.len() >= 4, "{zones:?}");
    others.iter().for_each(|node| drop(kubectl.run(&format!("cordon {node}"))));
    let cordoned = Cordoned(&kubectl, others);
    let workload = Workload::create("e2e-zones", 6);
    workload.run("create poddisruptionbudget web --selector=app=web --min-available=5");
    drop(cordoned);
    assert_eq!(by_zone(&workload, &zones), [6, 0, 0]);
    let (mut app, _home) = open((120, 34));
    // nodes and tasks must be there before what they tell
    app.send("3");
    app.wait_for("eu-c", SOON);
    app.send("5");
    app.wait_for("e2e-zones", SOON);
    point_at(&mut app, &workload);
    app.send("m");
    app.wait_for("spread now: eu-a 6 · eu-b 0 · eu-c 0", SOON);
    app.wait_for("spread afterwards, if the scheduler evens out: eu-a 2 · eu-b 2 · eu-c 2", SOON);
    app.wait_for("budget web allows 1 task to be away (min available 5)", SOON);
    app.send("y");
    app.send("9");
    let start = Instant::now();
    let mut least = 6;
    // to the scheduler zones and nodes are a preference among others: it may keep to what is not quite even, and that is said
    let stuck = "room, affinity or spread rules hold the others where they are";
    while !app.screen().contains("✔ done") && !app.screen().contains(stuck) {
        assert!(start.elapsed() < ROLLOUT, "not over; the screen is\n{}", app.screen());
        let ready = workload.run("get deployment web -o jsonpath={.status.readyReplicas}").parse().unwrap_or(0);
        least = least.min(ready);
    }
    println!("never fewer than {least} of 6 ready");
    assert!(least >= 5, "its budget was broken");
    let lie = by_zone(&workload, &zones);
    if app.screen().contains(stuck) {
        assert!(lie.iter().sum::<usize>() == 6 && lie.iter().all(|zone| (1..=4).contains(zone)), "{lie:?}");
        return;
    }
    assert_eq!(lie, [2, 2, 2]);
    app.wait_for("e2e-zones/web 6 of 6 ready · eu-a 2 · eu-b 2 · eu-c 2", SOON);
    app.send("4");
    app.wait_for("1 of ", SOON);
    app.send("m");
    app.wait_for("nothing would move", SOON);
}
