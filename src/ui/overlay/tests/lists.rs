//! The lists that open over the panes: palette, help, notices.

use super::*;

#[test]
fn the_palette_finds_by_name_and_by_the_words_of_k9s() {
    let found = |typed: &str| {
        let mut bench = on(PaneId::Services, "catalog");
        bench.press(Command::Palette);
        bench.type_in(typed);
        let line = bench.cursor_line();
        let effects = bench.ui.text(ENTER, bench.moment);
        (line.replace(['▸', '│'], " ").split_whitespace().next().unwrap_or_default().to_owned(), effects, bench)
    };
    for (typed, want) in [
        ("po", "pane.tasks"),
        ("deploy", "pane.services"),
        ("svc", "pane.services"),
        ("no", "pane.nodes"),
        ("ns", "scope.namespace"),
        ("ctx", "scope.cluster"),
        ("q", "quit"),
        ("redeploy", "service.redeploy"),
        ("restart", "service.redeploy"),
        ("ns shop", "namespace"),
        ("edge", "edge-swarm"),
        ("checkout", "shop/checkout"),
        ("eu-b", "eu-b-07"),
    ] {
        assert_eq!(found(typed).0, want, "{typed}");
    }
    assert!(matches!(found("q").1.as_slice(), [Effect::Quit]));
    let (_, _, mut bench) = found("checkout");
    assert!(bench.cursor_line().contains("checkout"), "{}", bench.screen());
    let (_, _, mut bench) = found("redeploy");
    assert!(bench.screen().contains("┌ redeploy shop/catalog"), "{}", bench.screen());
}

#[test]
fn the_palette_says_why_something_cannot_be_done_here() {
    let mut bench = on(PaneId::Services, "catalog");
    bench.press(Command::Palette);
    bench.type_in("evacuate");
    assert!(bench.cursor_line().contains("there is no node under the cursor"), "{}", bench.screen());
    bench.ui.text(ENTER, bench.moment);
    assert!(bench.screen().contains("┌ find"), "it stays open");
    bench.ui.text(TextInput::DeleteLine, bench.moment);
    bench.type_in("zzzz");
    assert!(bench.screen().contains("nothing is called zzzz"), "{}", bench.screen());
    bench.ui.text(TextInput::DeleteLine, bench.moment);
    bench.type_in("toggle");
    bench.ui.text(TextInput::Tab, bench.moment);
    assert!(bench.screen().contains(": toggle-time"), "{}", bench.screen());
    bench.ui.text(TextInput::Escape, bench.moment);
    assert!(!bench.screen().contains("┌ find"));
}

#[test]
fn one_narrows_to_a_namespace_or_cluster_by_picking_it() {
    let mut bench = on(PaneId::Services, "catalog");
    bench.press(Command::ScopeNamespace);
    let screen = bench.screen();
    assert!(screen.contains("narrow to a namespace or stack") && screen.contains("kube-system"), "{screen}");
    let chosen = screen.lines().find(|line| line.contains("│ ▸")).unwrap_or_default().to_owned();
    assert!(chosen.contains("▸ shop"), "the cursor's own comes first: {chosen}");
    bench.type_in("kube");
    bench.ui.text(ENTER, bench.moment);
    let screen = bench.screen();
    assert!(screen.contains("coredns") && !screen.contains("catalog"), "{screen}");
    bench.press(Command::ScopeNamespace);
    bench.type_in("all");
    bench.ui.text(ENTER, bench.moment);
    assert!(bench.screen().contains("catalog"));
    bench.press(Command::ScopeCluster);
    bench.type_in("edge");
    bench.ui.text(ENTER, bench.moment);
    let screen = bench.screen();
    assert!(screen.contains("billing_worker") && !screen.contains("catalog"), "{screen}");
}

#[test]
fn help_has_every_command_and_finds_them() {
    let mut bench = on(PaneId::Services, "catalog");
    bench.size = (100, 160);
    bench.press(Command::Help);
    let screen = bench.screen();
    for command in Command::ALL {
        assert!(screen.contains(command.doc()), "{} is not in\n{screen}", command.name());
    }
    let at = |words: &str| screen.find(words).unwrap();
    assert!(at("on a service") < at("everywhere"), "what works here comes first");
    bench.size = (80, 24);
    bench.type_in("cordon");
    let screen = bench.screen();
    assert!(screen.contains("take no new tasks here (cordon)") && !screen.contains("in lists"), "{screen}");
    bench.ui.text(TextInput::Escape, bench.moment);
    assert!(!bench.screen().contains("┌ keys"));
}

#[test]
fn notices_stand_newest_first_with_their_time() {
    let mut bench = on(PaneId::Services, "catalog");
    for (seconds, warning, text) in [(120, false, "theme night.toml: read"), (60, true, "edge-swarm: no answer to ping")] {
        let notice = crate::model::Notice { at: crate::ui::testing::ago(seconds), warning, text: text.into() };
        bench.fleet.0.apply(crate::model::Fact::Notice(notice), crate::ui::testing::NOW);
    }
    bench.sync();
    bench.press(Command::Notices);
    let screen = bench.screen();
    let (a, b) =
        (screen.find("14:02:00 ▲ edge-swarm: no answer").expect(&screen), screen.find("14:01:00   theme night").expect(&screen));
    assert!(a < b, "{screen}");
    bench.press(Command::Back);
    assert!(!bench.screen().contains("┌ notices"));
}

#[test]
fn lists_over_the_panes_fit_every_size() {
    for command in [Command::Palette, Command::Help, Command::Notices, Command::ScopeNamespace, Command::ScopeCluster] {
        let mut bench = on(PaneId::Services, "catalog");
        bench.press(command);
        for width in (0..220).step_by(9) {
            for height in [0, 1, 2, 3, 9, 10, 11, 12, 24, 60] {
                bench.size = (width, height);
                bench.screen();
            }
        }
    }
}
