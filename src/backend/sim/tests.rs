//! The simulated platforms behave as the real ones: every action converges, refusals hold, budgets are kept, and what is
//! told as changes adds up to what is there.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::actions::Begun;
use super::moves::Step;
use super::testing::{Bench, ENGINE, KUBERNETES, SWARM};
use super::{Fleet, Options, demo_scenario};
use crate::backend::BackendError;
use crate::backend::capabilities::capabilities;
use crate::model::{Action, ActionKind, ClusterKind, Kind, Propagation, RolloutState, Service, ServiceKind, Store};
use std::time::Duration;

#[test]
fn every_action_converges_as_on_a_real_cluster() {
    use Action::{
        Activate, DeleteService, DeleteTask, Drain, Evacuate, ForceDelete, Kill, Pause, Rebalance, Redeploy, Reschedule, Restart,
        RollBack, Scale, Start, Stop,
    };
    let image = |image: &str| Action::SetImage { container: "main".into(), image: image.into() };
    let label = |line: &str| Action::Label { edits: crate::analysis::edits::labels(line, false).unwrap() };
    let taint = |line: &str| Action::Taint { edits: crate::analysis::edits::taints(line).unwrap() };
    let table: [(&str, Kind, &str, Action); 45] = [
        (KUBERNETES, Kind::Service, "web", Scale { to: 7 }),
        (KUBERNETES, Kind::Service, "web", Scale { to: 0 }),
        (KUBERNETES, Kind::Service, "web", Redeploy { pull: false }),
        (KUBERNETES, Kind::Service, "web", RollBack { to: None }),
        (KUBERNETES, Kind::Service, "web", Rebalance),
        (KUBERNETES, Kind::Service, "db", Scale { to: 5 }),
        (KUBERNETES, Kind::Service, "db", Scale { to: 1 }),
        (KUBERNETES, Kind::Service, "db", Redeploy { pull: true }),
        (KUBERNETES, Kind::Service, "db", RollBack { to: None }),
        (KUBERNETES, Kind::Service, "agent", Redeploy { pull: false }),
        (KUBERNETES, Kind::Service, "agent", RollBack { to: None }),
        (KUBERNETES, Kind::Node, "a1", Pause),
        (KUBERNETES, Kind::Node, "a1", Activate),
        (KUBERNETES, Kind::Node, "a1", Drain),
        (SWARM, Kind::Service, "web", Scale { to: 7 }),
        (SWARM, Kind::Service, "web", Scale { to: 1 }),
        (SWARM, Kind::Service, "web", Redeploy { pull: false }),
        (SWARM, Kind::Service, "web", RollBack { to: None }),
        (SWARM, Kind::Service, "db", Redeploy { pull: true }),
        (SWARM, Kind::Service, "db", Rebalance),
        (SWARM, Kind::Service, "agent", Redeploy { pull: false }),
        (SWARM, Kind::Node, "a1", Pause),
        (SWARM, Kind::Node, "a1", Drain),
        (SWARM, Kind::Node, "a1", Evacuate),
        (ENGINE, Kind::Service, "web", Redeploy { pull: false }),
        (ENGINE, Kind::Task, "shop-web-1", Stop),
        (KUBERNETES, Kind::Service, "db", DeleteService { propagation: Propagation::Background }),
        (KUBERNETES, Kind::Service, "db", DeleteService { propagation: Propagation::Orphan }),
        (KUBERNETES, Kind::Service, "sweep", DeleteService { propagation: Propagation::Foreground }),
        (SWARM, Kind::Service, "db", DeleteService { propagation: Propagation::Background }),
        (KUBERNETES, Kind::Service, "web", image("web:3")),
        (KUBERNETES, Kind::Service, "agent", image("agent:3")),
        (KUBERNETES, Kind::Service, "sweep", image("sweep:2")),
        (SWARM, Kind::Service, "web", image("web:3")),
        (SWARM, Kind::Node, "b1", Action::Promote),
        (SWARM, Kind::Node, "a1", Action::Demote),
        (SWARM, Kind::Node, "b1", Action::RemoveNode { force: true }),
        (KUBERNETES, Kind::Node, "b1", label("disk=ssd topology.kubernetes.io/zone=x")),
        (KUBERNETES, Kind::Node, "b1", label("topology.kubernetes.io/zone-")),
        (SWARM, Kind::Node, "b1", label("zone=x gone-")),
        (KUBERNETES, Kind::Node, "b1", taint("dedicated=db:NoSchedule x:PreferNoSchedule")),
        (KUBERNETES, Kind::Node, "b1", taint("dedicated:NoExecute")),
        (ENGINE, Kind::Task, "lone", Restart),
        (ENGINE, Kind::Task, "lone", Kill),
        (ENGINE, Kind::Task, "lone", ForceDelete { grace: None }),
    ];
    for (scenario, kind, name, action) in table {
        Bench::new(scenario).converge(kind, name, action);
    }
    let mut engine = Bench::new(ENGINE);
    engine.converge(Kind::Task, "lone", Stop);
    engine.converge(Kind::Task, "lone", Start);
    let running = engine.intent(Kind::Task, "lone", DeleteTask { grace: None });
    assert!(matches!(engine.platform.begin(&running), Err(BackendError::Changed(_))), "only a stopped one without force");
    engine.converge(Kind::Task, "lone", Kill);
    engine.converge(Kind::Task, "lone", DeleteTask { grace: None });
    for scenario in [KUBERNETES, SWARM] {
        for action in [DeleteTask { grace: None }, Reschedule] {
            let mut bench = Bench::new(scenario);
            let task = bench.tasks("web").remove(0);
            bench.converge(Kind::Task, &task.name, action.clone());
            if action == Reschedule {
                let moved = bench.tasks("web").into_iter().filter(|t| t.created > task.created).max_by_key(|t| t.created).unwrap();
                assert_ne!(moved.node, task.node);
            }
        }
    }
}

#[test]
fn an_older_definition_is_gone_back_to_by_its_number() {
    let mut bench = Bench::new(KUBERNETES);
    for image in ["web:3", "web:4"] {
        bench.converge(Kind::Service, "web", Action::SetImage { container: "web".into(), image: image.into() });
    }
    let earlier: Vec<_> = bench.service("web").earlier.iter().map(|e| (e.revision, e.image.to_string())).collect();
    let [_, (second, image), ..] = earlier.as_slice() else { panic!("{earlier:?}") };
    bench.converge(Kind::Service, "web", Action::RollBack { to: Some(*second) });
    assert_eq!(bench.service("web").image.as_str(), image);
    assert!(bench.tasks("web").iter().all(|task| task.image.as_str() == image));
    let gone = bench.intent(Kind::Service, "web", Action::RollBack { to: Some(99) });
    assert!(matches!(bench.platform.begin(&gone), Err(BackendError::Changed(_))));
}

#[test]
fn what_earlier_definitions_would_change_is_told_by_the_numbers_that_a_roll_back_takes() {
    for scenario in [KUBERNETES, SWARM] {
        let mut bench = Bench::new(scenario);
        bench.converge(Kind::Service, "web", Action::SetImage { container: "web".into(), image: "web:3".into() });
        let object = bench.intent(Kind::Service, "web", Action::Redeploy { pull: false }).object;
        let all = bench.platform.differences(&object.key);
        let (number, lines) = &all[0];
        assert!(lines.iter().any(|line| line.ends_with("web:3") && line.starts_with("- ")), "{all:?}");
        assert!(lines.iter().any(|line| line.ends_with("web:2") && line.starts_with("+ ")), "{all:?}");
        bench.converge(Kind::Service, "web", Action::RollBack { to: Some(*number) });
        assert_eq!(bench.service("web").image.as_str(), "web:2");
        bench.converge(Kind::Service, "web", Action::Redeploy { pull: false });
        let all = bench.platform.differences(&object.key);
        assert!(all[0].1.len() == 2 && !all[0].1.iter().any(|line| line.contains("web:")), "only a redeploy: {all:?}");
    }
    let engine = Bench::new(ENGINE);
    let object = engine.intent(Kind::Service, "web", Action::Redeploy { pull: false }).object;
    assert_eq!(engine.platform.differences(&object.key), []);
}

#[test]
fn a_swarms_service_is_spread_over_zones_and_has_never_fewer_than_it_wants() {
    let mut bench = Bench::new(SWARM);
    for node in ["b1", "c1"] {
        bench.converge(Kind::Node, node, Action::Pause);
    }
    bench.converge(Kind::Service, "web", Action::Redeploy { pull: false });
    for node in ["b1", "c1"] {
        bench.converge(Kind::Node, node, Action::Activate);
    }
    let zones = |bench: &Bench| {
        let zones = crate::analysis::spread::zones(bench.world(), &bench.service("web").key);
        zones.iter().map(|zone| zone.tasks).collect::<Vec<_>>()
    };
    assert_eq!(zones(&bench), [4, 0, 0]);
    bench.least_ready = u32::MAX;
    bench.converge(Kind::Service, "web", Action::Rebalance);
    assert_eq!((zones(&bench), bench.least_ready), (vec![2, 1, 1], 4));
}

#[test]
fn a_held_deployment_keeps_its_tasks_until_it_is_resumed() {
    let mut bench = Bench::new(KUBERNETES);
    bench.converge(Kind::Service, "web", Action::Hold);
    assert_eq!(bench.service("web").rollout.state, RolloutState::Paused);
    let web = bench.platform.workloads.values().find(|w| w.name.as_str() == "web").unwrap().id;
    bench.platform.roll_out(web, "web:3");
    bench.pass(60_000);
    let held = bench.service("web");
    assert_eq!((held.rollout.state, held.updated, held.ready), (RolloutState::Paused, 0, 4));
    bench.converge(Kind::Service, "web", Action::Scale { to: 4 });
    bench.converge(Kind::Service, "web", Action::Resume);
    let on = bench.service("web");
    assert_eq!((on.rollout.state, on.updated, on.ready), (RolloutState::Stable, 4, 4));
}

#[test]
fn a_held_cronjob_makes_no_jobs_by_the_clock_and_one_when_it_is_told_to() {
    let mut bench = Bench::new(KUBERNETES);
    let jobs = |bench: &Bench| bench.world().services.iter().filter(|s| s.kind == ServiceKind::Job).count();
    bench.converge(Kind::Service, "sweep", Action::Hold);
    assert!(bench.service("sweep").suspended);
    bench.pass(3 * 3_600_000);
    assert_eq!(jobs(&bench), 0);
    bench.converge(Kind::Service, "sweep", Action::Trigger);
    assert_eq!(jobs(&bench), 1);
    bench.pass(60_000);
    let job = bench.world().services.iter().find(|s| s.kind == ServiceKind::Job).map(|s| s.rollout.state);
    assert_eq!(job, Some(RolloutState::Stable), "it ran to its end");
    bench.converge(Kind::Service, "sweep", Action::Resume);
    bench.pass(2 * 3_600_000);
    assert!(jobs(&bench) > 1);
}

#[test]
fn a_held_job_gives_up_its_tasks_and_starts_anew_when_it_is_resumed() {
    let mut bench = Bench::new(KUBERNETES);
    bench.converge(Kind::Service, "sweep", Action::Trigger);
    let job = bench.world().services.iter().find(|s| s.kind == ServiceKind::Job).map(|s| s.name.to_string()).unwrap();
    bench.converge(Kind::Service, &job, Action::Hold);
    assert_eq!((bench.service(&job).current, bench.service(&job).suspended), (0, true));
    bench.converge(Kind::Service, &job, Action::Resume);
    bench.pass(60_000);
    assert_eq!(bench.service(&job).rollout.state, RolloutState::Stable);
}

#[test]
fn what_was_not_seen_is_not_acted_upon() {
    for scenario in [KUBERNETES, SWARM] {
        let mut bench = Bench::new(scenario);
        let service = bench.intent(Kind::Service, "web", Action::Scale { to: 6 });
        let node = bench.intent(Kind::Node, "b1", Action::Pause);
        bench.converge(Kind::Service, "web", Action::Redeploy { pull: false });
        bench.converge(Kind::Node, "b1", Action::Pause);
        for stale in [&service, &node] {
            assert!(matches!(bench.platform.begin(stale), Err(BackendError::Changed(_))), "{stale:?}");
        }
        assert_eq!(bench.service("web").desired, Some(4));
        let task = bench.tasks("web").remove(0);
        let delete = bench.intent(Kind::Task, &task.name, Action::DeleteTask { grace: None });
        bench.take(&delete);
        bench.pass(60_000);
        let again = bench.platform.begin(&delete);
        // an old Swarm task stays for its story; a pod is gone
        assert!(scenario == SWARM || matches!(again, Err(BackendError::NotFound(_))));
    }
}

#[test]
fn a_tainted_node_gets_no_tasks_and_loses_those_it_has_only_by_no_execute() {
    let taint = |line: &str| Action::Taint { edits: crate::analysis::edits::taints(line).unwrap() };
    let mut bench = Bench::new(KUBERNETES);
    let on = |bench: &Bench, name: &str| bench.tasks(name).iter().filter(|t| t.node.as_deref() == Some("a1")).count();
    let before = on(&bench, "web");
    assert!(before > 0);
    bench.converge(Kind::Node, "a1", taint("off:NoSchedule"));
    bench.pass(60_000);
    assert_eq!((on(&bench, "web"), on(&bench, "agent")), (before, 1));
    bench.converge(Kind::Node, "a1", taint("off:NoExecute"));
    bench.pass(120_000);
    assert_eq!((on(&bench, "web"), on(&bench, "agent")), (0, 0));
    assert_eq!(bench.service("web").ready, 4);
    bench.converge(Kind::Node, "a1", taint("off-"));
    bench.pass(120_000);
    assert_eq!(on(&bench, "agent"), 1);
}

#[test]
fn what_a_platform_cannot_do_is_refused() {
    for (scenario, name, action) in [
        (KUBERNETES, "agent", Action::Scale { to: 2 }),
        (SWARM, "agent", Action::Scale { to: 2 }),
        (ENGINE, "web", Action::Scale { to: 2 }),
        (ENGINE, "web", Action::RollBack { to: None }),
        (KUBERNETES, "lone", Action::RollBack { to: None }),
        (KUBERNETES, "db", Action::Hold),
        (KUBERNETES, "web", Action::Trigger),
        (SWARM, "web", Action::Hold),
    ] {
        let mut bench = Bench::new(scenario);
        let intent = bench.intent(Kind::Service, name, action);
        assert!(matches!(bench.platform.begin(&intent), Err(BackendError::Unsupported(_))), "{intent:?}");
    }
    for kind in [ClusterKind::Kubernetes, ClusterKind::Swarm] {
        let has = capabilities(kind);
        let never = |k: &ActionKind| match k {
            ActionKind::Start | ActionKind::Stop | ActionKind::Restart | ActionKind::Kill | ActionKind::ForceDelete => true,
            ActionKind::Hold | ActionKind::Resume | ActionKind::Trigger | ActionKind::Taint => kind == ClusterKind::Swarm,
            ActionKind::Promote | ActionKind::Demote | ActionKind::RemoveNode => kind == ClusterKind::Kubernetes,
            ActionKind::Prune | ActionKind::RotateToken => kind == ClusterKind::Kubernetes,
            _ => false,
        };
        assert!(ActionKind::ALL.iter().all(|k| has.can(*k) != never(k)));
    }
}

#[test]
fn moves_never_break_a_budget_and_wait_for_it() {
    for node in ["a1", "a2", "b1", "c1"] {
        let mut bench = Bench::new(KUBERNETES);
        let stuck = bench.tasks("lone")[0].node.as_deref() == Some(node);
        let intent = bench.intent(Kind::Node, node, Action::Evacuate);
        let Begun::Moves(mut moves) = bench.platform.begin(&intent).unwrap() else { panic!("an evacuation is a series of moves") };
        let mut last = None;
        for _ in 0..1_200 {
            let step = moves.step(&mut bench.platform);
            bench.pass(500);
            assert!(bench.service("lone").ready == 1, "the only task of `lone` was taken");
            if let Step::Over(expect) = step {
                last = Some(expect);
                break;
            }
            if let Step::Going(progress) = step {
                assert!(progress.note.contains("waits"), "{progress:?}");
            }
        }
        assert!(bench.least_ready >= 3, "web went down to {}", bench.least_ready);
        assert_eq!(last.is_none(), stuck, "only the budget of `lone` may hold up the evacuation of {node}");
    }
}

#[test]
fn a_rollout_with_a_missing_image_stops_and_rolls_back() {
    let mut bench = Bench::new(KUBERNETES);
    let web = bench.platform.workloads.values().find(|w| w.name.as_str() == "web").unwrap().id;
    bench.platform.roll_out(web, "web:none");
    bench.pass(90_000);
    let service = bench.service("web");
    assert_eq!(service.rollout.state, RolloutState::Failed);
    assert_eq!(service.ready, 3, "no more than a quarter may be missing");
    let broken = bench.tasks("web").into_iter().filter(|t| !t.ready).collect::<Vec<_>>();
    assert!(!broken.is_empty());
    assert!(broken.iter().all(|t| t.why.as_deref() == Some("image not found: web:none")), "{broken:?}");
    bench.converge(Kind::Service, "web", Action::RollBack { to: None });
    assert_eq!(bench.service("web").image.as_str(), "web:2");

    let mut bench = Bench::new(SWARM);
    for (name, state) in [("web", RolloutState::Paused), ("db", RolloutState::Stable)] {
        let id = bench.platform.workloads.values().find(|w| w.name.as_str() == name).unwrap().id;
        bench.platform.missing_images.insert("db:none".to_owned());
        bench.platform.roll_out(id, &format!("{name}:none"));
        bench.pass(120_000);
        assert_eq!(bench.service(name).rollout.state, state, "{name}");
    }
    assert_eq!(bench.service("db").image.as_str(), "db:2", "its failure action is to go back");
    bench.converge(Kind::Service, "web", Action::RollBack { to: None });
}

#[test]
fn a_silent_node_is_lost_given_up_and_taken_back() {
    for (scenario, grace, given_up) in [(KUBERNETES, 40_000, 300_000), (SWARM, 15_000, 1_000)] {
        let mut bench = Bench::new(scenario);
        let host = *bench.platform.hosts.keys().nth(2).unwrap();
        let on_it =
            |bench: &Bench| bench.tasks("web").iter().filter(|t| t.node == Some(bench.platform.hosts[&host].key.clone())).count();
        assert!(on_it(&bench) > 0);
        bench.platform.host_silent(host);
        bench.pass(grace - 1_000);
        assert_eq!(bench.service("web").ready, 4, "nobody has noticed yet");
        bench.pass(1_500);
        assert!(bench.service("web").ready < 4);
        bench.pass(given_up + 60_000);
        assert_eq!(bench.service("web").ready, 4, "others took over");
        bench.platform.host_back(host);
        bench.pass(60_000);
        let agent = bench.service("agent");
        assert_eq!(Some(agent.ready), agent.desired);
        assert_eq!(agent.desired, Some(4));
        bench.told_whole();
    }
}

#[test]
fn the_demo_opens_with_trouble_of_every_sort_and_gets_over_it() {
    let mut fleet = Fleet::new(&demo_scenario().unwrap(), Options::default());
    let mut store = Store::new(fleet.clusters());
    let mut seen_whole = 0;
    for minute in 0..40 {
        let to = Duration::from_secs(minute * 60);
        for fact in fleet.advance(to) {
            store.apply(fact, fleet.at(to));
        }
        let world = store.world();
        let service = |cluster: usize, name: &str| {
            Service::clone(world.clusters[cluster].services.iter().find(|s| s.name.as_str() == name).unwrap())
        };
        if minute == 0 {
            let checkout = service(0, "checkout");
            assert_eq!((checkout.ready, checkout.desired, checkout.rollout.state), (2, Some(5), RolloutState::Failed));
            assert_eq!(service(1, "billing_worker").ready, 0);
            assert!(world.clusters[0].nodes.iter().any(|n| n.name.as_str() == "eu-b-07" && n.why.is_some()));
            assert!(world.clusters[0].tasks.iter().any(|t| t.restarts > 3));
            assert!(world.clusters[0].task_usage.iter().all(|s| s.samples().len() > 1));
        }
        let checkout = service(0, "checkout");
        seen_whole += u32::from(checkout.ready == 5 && checkout.rollout.state == RolloutState::Stable);
    }
    assert!((5..36).contains(&seen_whole), "checkout was whole in {seen_whole} of 40 minutes");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(48))]
    /// Whatever is asked in whatever order, and whatever nodes do meanwhile: rows add up, hosts' reservations are those of
    /// their instances, and once everybody leaves it alone everything is whole again.
    #[test]
    fn nothing_an_operator_does_leaves_the_platform_broken(
        swarm in proptest::bool::ANY,
        deeds in proptest::collection::vec((0u8..9, 0usize..4, 0i64..20_000), 1..14),
    ) {
        let mut bench = Bench::new(if swarm { SWARM } else { KUBERNETES });
        let services = ["web", "db", "agent"];
        let nodes = ["a1", "a2", "b1", "c1"];
        for (deed, which, pause) in deeds {
            let service = services[which % 3];
            let host = *bench.platform.hosts.keys().nth(which).unwrap();
            let intent = match deed {
                0 => bench.intent(Kind::Service, service, Action::Scale { to: which as u32 + 2 }),
                1 => bench.intent(Kind::Service, service, Action::Redeploy { pull: false }),
                2 => bench.intent(Kind::Service, service, Action::RollBack { to: None }),
                3 => bench.intent(Kind::Node, nodes[which], Action::Pause),
                4 => bench.intent(Kind::Node, nodes[which], Action::Drain),
                5 => bench.intent(Kind::Node, nodes[which], Action::Activate),
                6 => bench.intent(Kind::Service, service, Action::Rebalance),
                _ => {
                    if deed == 7 { bench.platform.host_silent(host) } else { bench.platform.host_back(host) }
                    bench.pass(pause);
                    continue;
                }
            };
            // what a platform refuses (scaling a global service) it must refuse without harm
            if let Ok(Begun::Moves(mut moves)) = bench.platform.begin(&intent) {
                moves.step(&mut bench.platform);
            }
            bench.pass(pause);
            bench.told_whole();
        }
        for host in bench.platform.hosts.keys().copied().collect::<Vec<_>>() {
            bench.platform.host_back(host);
        }
        for node in nodes {
            let intent = bench.intent(Kind::Node, node, Action::Activate);
            bench.take(&intent);
            bench.pass(500);
        }
        bench.pass(900_000);
        bench.told_whole();
        for service in services {
            let row = bench.service(service);
            proptest::prop_assert_eq!(Some(row.ready), row.desired, "{}", service);
            proptest::prop_assert_eq!((row.current, row.updated), (row.ready, row.ready), "{}", service);
        }
        for host in bench.platform.hosts.values() {
            let live = bench.platform.instances.values().filter(|i| i.host.is_some() && host.instances.contains(&i.id));
            let sum = live.fold(Default::default(), |sum: crate::model::Resources, i| sum.plus(i.definition.requests));
            proptest::prop_assert_eq!(host.reserved, sum);
        }
    }
}
