//! The command table: every command's name, what the palette and help say of it, and where it works. Keymaps name
//! commands by these names; nothing else lists them.

/// Where a command is available: keymap sections have these names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Everywhere but in text inputs.
    Global,
    /// In any pane that is a list.
    List,
    /// On a service (or a finding about one).
    Service,
    /// On a task.
    Task,
    /// On a node.
    Node,
    /// On a cluster.
    Cluster,
    /// In the log pane.
    Logs,
    /// In the operations pane.
    Operation,
    /// In a pane that shows a whole object.
    Document,
}

impl Scope {
    /// All scopes, in the order help shows them.
    pub const ALL: [Self; 9] = [
        Self::Global,
        Self::List,
        Self::Service,
        Self::Task,
        Self::Node,
        Self::Cluster,
        Self::Logs,
        Self::Operation,
        Self::Document,
    ];

    /// Its section in keymap files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::List => "list",
            Self::Service => "service",
            Self::Task => "task",
            Self::Node => "node",
            Self::Cluster => "cluster",
            Self::Logs => "logs",
            Self::Operation => "operation",
            Self::Document => "document",
        }
    }

    /// Its heading in help.
    pub fn title(self) -> &'static str {
        match self {
            Self::Global => "everywhere",
            Self::List => "in lists",
            Self::Service => "on a service",
            Self::Task => "on a task",
            Self::Node => "on a node",
            Self::Cluster => "on a cluster",
            Self::Logs => "in logs",
            Self::Operation => "on an operation",
            Self::Document => "in the text of an object",
        }
    }

    /// The scope of this section.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }
}

macro_rules! commands {
    ($($variant:ident $name:literal $scope:ident $doc:literal;)*) => {
        /// A command without parameters; the ui asks for what it needs.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[allow(missing_docs, reason = "the table below documents each")]
        pub enum Command { $($variant,)* }

        impl Command {
            /// All commands, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name in keymaps and in the palette: `service.redeploy`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// One line for help and palette.
            pub fn doc(self) -> &'static str {
                match self { $(Self::$variant => $doc,)* }
            }

            /// Where it works.
            pub fn scope(self) -> Scope {
                match self { $(Self::$variant => Scope::$scope,)* }
            }
        }
    };
}

commands! {
    Quit            "quit"              Global    "leave Quarterdeck";
    Suspend         "suspend"           Global    "stop and go back to the shell (fg returns)";
    Redraw          "redraw"            Global    "draw the whole screen anew";
    Back            "back"              Global    "one step back: close, clear the filter, leave the pane";
    Help            "help"              Global    "all keys, with a search";
    Palette         "palette"           Global    "find any command, pane, cluster or namespace by name";
    Reconnect       "reconnect"         Global    "connect to all clusters that are away, now";
    ToggleTime      "toggle-time"       Global    "times in UTC or local";
    NextTheme       "next-theme"        Global    "the next theme";
    Notices         "notices"           Global    "what Quarterdeck has said so far";
    PaneFleet       "pane.fleet"        Global    "what is wrong anywhere, worst first";
    PaneClusters    "pane.clusters"     Global    "all clusters";
    PaneNodes       "pane.nodes"        Global    "nodes";
    PaneServices    "pane.services"     Global    "services";
    PaneTasks       "pane.tasks"        Global    "tasks: pods, Swarm tasks, containers";
    PaneLogs        "pane.logs"         Global    "the log view";
    PaneMetrics     "pane.metrics"      Global    "graphs of cpu, memory and network";
    PaneEvents      "pane.events"       Global    "events";
    PaneOperations  "pane.operations"   Global    "what was asked for, and how it went";
    PaneNext        "pane.next"         Global    "the next pane";
    PanePrevious    "pane.previous"     Global    "the previous pane";
    ScopeCluster    "scope.cluster"     Global    "narrow to one cluster, or widen to all";
    ScopeNamespace  "scope.namespace"   Global    "narrow to one namespace or stack, or widen to all";
    ScopeAll        "scope.all"         Global    "widen to all clusters and namespaces";
    Up              "list.up"           List      "one row up";
    Down            "list.down"         List      "one row down";
    PageUp          "list.page-up"      List      "one page up";
    PageDown        "list.page-down"    List      "one page down";
    Top             "list.top"          List      "the first row";
    Bottom          "list.bottom"       List      "the last row";
    Left            "list.left"         List      "columns to the left";
    Right           "list.right"        List      "columns to the right";
    Open            "open"              List      "open: tasks of a service or node, what a finding is about";
    Detail          "detail"            List      "describe: details of this row, beside or in place of the list";
    Inspect         "inspect"           List      "the whole object as YAML";
    Filter          "filter"            List      "filter rows";
    Select          "select"            List      "mark this row for an action on many";
    SelectAll       "select.all"        List      "mark all rows shown, or none";
    Sort            "sort.next"         List      "sort by the next column";
    SortReverse     "sort.reverse"      List      "turn the order round";
    SortName        "sort.name"         List      "sort by name";
    SortAge         "sort.age"          List      "sort by age";
    SortState       "sort.state"        List      "sort by state, worst first";
    Copy            "copy"              List      "copy the name to the clipboard (OSC 52)";
    Logs            "logs"              List      "logs of this task, or of all tasks of this service";
    Metrics         "metrics"           List      "graphs of this row";
    Events          "events"            List      "events of this row";
    Tasks           "tasks"             List      "tasks of this row";
    LogStrip        "logs.below"        List      "log lines of this row below the list, on a large screen";
    Scale           "service.scale"     Service   "change the number of tasks";
    Redeploy        "service.redeploy"  Service   "make new tasks from the same definition, rolling";
    RollBack        "service.roll-back" Service   "go back to the previous definition, or one before it";
    Rebalance       "service.rebalance" Service   "spread the tasks evenly over nodes and zones";
    HoldService     "service.hold"      Service   "hold it: pause its rollout, or suspend a job";
    ResumeService   "service.resume"    Service   "let a paused rollout or a suspended job go on";
    TriggerService  "service.run-now"   Service   "run a cronjob now, beside its schedule";
    SetImage        "service.set-image" Service   "change the image of a container";
    DeleteService   "service.delete"    Service   "delete this service, with its tasks or without";
    Reschedule      "task.reschedule"   Task      "move this task to another node";
    DeleteTask      "task.delete"       Task      "delete this task; its service makes a new one";
    StartTask       "task.start"        Task      "start this stopped container";
    StopTask        "task.stop"         Task      "stop this container";
    RestartTask     "task.restart"      Task      "stop this container and start it again";
    KillTask        "task.kill"         Task      "end this container at once, without its grace period";
    ForceDelete     "task.delete-force" Task      "delete this container, also while it runs";
    LogsPrevious    "task.logs-previous" Task     "logs of the run before the last restart";
    PauseNode       "node.pause"        Node      "take no new tasks here (cordon)";
    ActivateNode    "node.activate"     Node      "take tasks here again (uncordon)";
    EvacuateNode    "node.evacuate"     Node      "move all tasks away, respecting budgets, and take no new ones";
    DrainNode       "node.drain"        Node      "the platform's own drain";
    PromoteNode     "node.promote"      Node      "make this worker a manager of its swarm";
    DemoteNode      "node.demote"       Node      "make this manager a worker of its swarm";
    RemoveNode      "node.remove"       Node      "take this node out of its swarm";
    LabelNode       "node.label"        Node      "set labels of this node, or take them away";
    TaintNode       "node.taint"        Node      "put taints on this node, or take them away";
    PruneEngine     "node.prune"        Node      "remove what nothing uses on this engine";
    JoinSwarm       "node.join"         Node      "how another machine joins this swarm; its token, if asked for";
    RotateToken     "node.rotate-token" Node      "make a new token for nodes that join this swarm";
    LogFollow       "logs.follow"       Logs      "follow the end, or stop following";
    LogWrap         "logs.wrap"         Logs      "wrap long lines, or cut them";
    LogTime         "logs.time"         Logs      "show times, or hide them";
    LogClear        "logs.clear"        Logs      "clear the view (new lines still come)";
    LogMark         "logs.mark"         Logs      "put a mark at the end";
    SearchNext      "search.next"       Document  "the next match";
    SearchPrevious  "search.previous"   Document  "the previous match";
    CancelOperation "operation.cancel"  Operation "stop this operation at its next safe point";
    PauseOperation  "operation.pause"   Operation "stop this operation for now, between two steps";
    ResumeOperation "operation.resume"  Operation "go on with this paused operation";
    UndoOperation   "operation.undo"    Operation "take this operation back, unless someone changed the object since";
}

impl Command {
    /// The command of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|c| c.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found() {
        for command in Command::ALL {
            assert_eq!(Command::named(command.name()), Some(*command));
        }
        assert_eq!(Command::named("service.explode"), None);
    }
}
