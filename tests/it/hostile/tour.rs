//! A way through all panes and dialogs, for whoever looks at each of them.

use super::readonly::Press;
use super::stage::Stage;
use quarterdeck::input::{Command, KeyPress};
use quarterdeck::ui::TextInput;

/// Commands that open something over a row of a pane, and the pane.
const DIALOGS: [(Command, &[Command]); 6] = [
    (Command::PaneServices, &[Command::Scale, Command::Redeploy, Command::RollBack, Command::Rebalance, Command::SetImage]),
    (Command::PaneServices, &[Command::HoldService, Command::ResumeService, Command::TriggerService, Command::DeleteService]),
    (Command::PaneTasks, &[Command::Reschedule, Command::DeleteTask, Command::ForceDelete]),
    (Command::PaneTasks, &[Command::StartTask, Command::StopTask, Command::RestartTask, Command::KillTask]),
    (Command::PaneNodes, &[Command::PauseNode, Command::ActivateNode, Command::EvacuateNode, Command::DrainNode]),
    (
        Command::PaneNodes,
        &[
            Command::PromoteNode,
            Command::DemoteNode,
            Command::RemoveNode,
            Command::LabelNode,
            Command::TaintNode,
            Command::PruneEngine,
            Command::RotateToken,
        ],
    ),
];

/// Rows that a dialog is looked for on.
const ROWS: usize = 8;

/// Lists opened over a page.
const LISTS: [Command; 5] = [Command::Palette, Command::Help, Command::Notices, Command::ScopeCluster, Command::ScopeNamespace];

/// Panes with a tab.
const PANES: [Command; 9] = [
    Command::PaneFleet,
    Command::PaneClusters,
    Command::PaneNodes,
    Command::PaneServices,
    Command::PaneTasks,
    Command::PaneLogs,
    Command::PaneMetrics,
    Command::PaneEvents,
    Command::PaneOperations,
];

/// The commands whose dialogs are on the way.
pub fn dialogs() -> impl Iterator<Item = Command> {
    DIALOGS.into_iter().flat_map(|(_, dialogs)| dialogs).copied()
}

/// Goes everywhere, and calls `look` with the name of each place. `typed` is pasted wherever text is taken; those places are
/// named with a `~`, as what they show depends on what was typed.
pub fn tour(stage: &mut Stage<'_>, typed: &str, mut look: impl FnMut(&mut Stage<'_>, &str)) {
    for pane in PANES {
        stage.press(pane);
        look(stage, pane.name());
        stage.press(Command::Down);
        look(stage, &format!("{}, second row", pane.name()));
        stage.press(Command::Copy);
        look(stage, &format!("{}, copied", pane.name()));
        stage.press(Command::Detail);
        look(stage, &format!("{}, details", pane.name()));
        stage.press(Command::Copy);
        stage.press(Command::Detail);
        stage.press(Command::Filter);
        stage.text(TextInput::Paste(typed.to_owned()));
        look(stage, &format!("~ {}, filtered", pane.name()));
        stage.text(TextInput::DeleteLine);
        stage.text(TextInput::Escape);
    }
    for (pane, dialogs) in DIALOGS {
        for (marked, dialog) in dialogs.iter().flat_map(|dialog| [(false, dialog), (true, dialog)]) {
            stage.press(pane);
            stage.press(Command::Top);
            if marked {
                stage.press(Command::Select);
                stage.press(Command::Select);
                stage.press(*dialog);
            } else {
                open(stage, *dialog);
            }
            look(stage, &format!("{}, marked {marked}", dialog.name()));
            stage.text(TextInput::Down);
            look(stage, &format!("{}, marked {marked}, next choice", dialog.name()));
            stage.text(TextInput::Paste(typed.to_owned()));
            typed.chars().for_each(|c| stage.text(TextInput::Char(c)));
            stage.text(TextInput::Enter);
            look(stage, &format!("~ {}, typed", dialog.name()));
            stage.text(TextInput::Escape);
            stage.press(pane);
            // all, and then none: what was carried out has lost its marks already
            stage.press(Command::SelectAll);
            stage.press(Command::SelectAll);
        }
    }
    for list in LISTS {
        stage.press(Command::PaneServices);
        stage.press(list);
        look(stage, list.name());
        stage.text(TextInput::Paste(typed.to_owned()));
        look(stage, &format!("~ {}, typed", list.name()));
        stage.text(TextInput::Tab);
        stage.text(TextInput::Escape);
        stage.press(Command::Back);
    }
    for (pane, command) in [
        (Command::PaneServices, Command::Inspect),
        (Command::PaneServices, Command::Logs),
        (Command::PaneTasks, Command::LogsPrevious),
        (Command::PaneNodes, Command::Metrics),
        (Command::PaneServices, Command::Events),
        (Command::PaneNodes, Command::Tasks),
        (Command::PaneServices, Command::Open),
        (Command::PaneFleet, Command::Open),
        (Command::PaneEvents, Command::Open),
        (Command::PaneClusters, Command::Open),
    ] {
        stage.press(pane);
        stage.press(command);
        look(stage, &format!("{} from {}", command.name(), pane.name()));
        stage.press(Command::LogWrap);
        stage.press(Command::LogTime);
        stage.press(Command::Copy);
        look(stage, &format!("{} from {}, otherwise", command.name(), pane.name()));
        stage.press(Command::Filter);
        stage.text(TextInput::Paste(typed.to_owned()));
        look(stage, &format!("~ {} from {}, searched", command.name(), pane.name()));
        stage.text(TextInput::Enter);
        stage.press(Command::SearchNext);
        stage.press(Command::Back);
        stage.press(Command::ScopeAll);
    }
    stage.press(Command::PaneNodes);
    stage.press(Command::JoinSwarm);
    look(stage, "join");
    stage.text(TextInput::Char('r'));
    look(stage, "join, revealed");
    stage.text(TextInput::Char('c'));
    stage.press(Command::PaneTasks);
    stage.press(Command::LogStrip);
    look(stage, "log lines below");
    stage.press(Command::LogStrip);
    for command in [Command::NextTheme, Command::ToggleTime, Command::Reconnect] {
        stage.press(command);
        look(stage, command.name());
    }
    stage.say();
    look(stage, "something said");
    // said of each row of an engine that is none of these nodes
    stage.press(Command::PaneNodes);
    stage.press(Command::Bottom);
    stage.press(Command::PruneEngine);
    look(stage, "an engine that does not answer for this node");
    stage.denies = true;
    for (pane, dialogs) in DIALOGS {
        stage.press(pane);
        stage.press(Command::Top);
        open(stage, dialogs[0]);
        look(stage, &format!("{}, refused", dialogs[0].name()));
        stage.text(TextInput::Escape);
        stage.press(dialogs[0]);
        look(stage, &format!("{}, refused before", dialogs[0].name()));
        stage.text(TextInput::Escape);
    }
}

/// Opens a dialog on the first row that has it.
fn open(stage: &mut Stage<'_>, dialog: Command) {
    for _ in 0..ROWS {
        stage.press(dialog);
        if stage.is_open() {
            return;
        }
        stage.press(Command::Down);
    }
    panic!("{} opens on none of the rows", dialog.name());
}

/// Every command and every key on every pane, each followed by all that could confirm what it opened.
pub fn tour_keys() -> Vec<Press> {
    let leaves = [Command::Quit, Command::Suspend];
    let keys: Vec<KeyPress> = (0x20..0x7f_u8)
        .map(|key| char::from(key).to_string())
        .chain((b'a'..=b'z').map(|key| format!("ctrl-{}", char::from(key))))
        .chain(["enter", "tab", "space", "backspace", "delete", "f5", "f9"].map(str::to_owned))
        .filter_map(|word| KeyPress::parse(&word).ok())
        .collect();
    assert!(keys.len() > 100);
    let text = Press::Text;
    let mut all = Vec::new();
    for pane in PANES {
        let commands =
            Command::ALL.iter().filter(|command| !leaves.contains(command)).map(|command| vec![Press::Command(*command)]);
        let found = Command::ALL.iter().filter(|command| !leaves.contains(command)).map(|command| {
            let typed = command.name().chars().map(|c| text(TextInput::Char(c)));
            [Press::Command(Command::Palette)].into_iter().chain(typed).chain([text(TextInput::Enter)]).collect()
        });
        // typing takes its time: where there are rows that can be acted on
        let rows = [Command::PaneNodes, Command::PaneServices, Command::PaneTasks].contains(&pane);
        let found = found.filter(|_| rows);
        let keys = keys.iter().map(|key| vec![Press::Key(*key)]);
        for opened in commands.chain(found).chain(keys) {
            all.push(Press::Command(pane));
            all.extend(opened);
            all.extend([
                text(TextInput::Up),
                text(TextInput::Enter),
                text(TextInput::Char('y')),
                Press::Name,
                text(TextInput::Enter),
            ]);
            all.extend([text(TextInput::Escape), text(TextInput::Escape), Press::Command(Command::Back)]);
        }
    }
    all
}
