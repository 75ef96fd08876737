//! What a piece of the screen means; themes say how each looks.

macro_rules! roles {
    ($($variant:ident $name:literal $parent:ident $doc:literal;)*) => {
        /// What a piece of the screen means. Healthy is quiet: most of a calm screen is [`Role::Text`] and [`Role::Dim`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Role { $(#[doc = $doc] $variant,)* }

        impl Role {
            /// All roles.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name in theme files.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The role whose style it has where a theme does not name it; `Text` is its own parent.
            pub fn parent(self) -> Self {
                match self { $(Self::$variant => Self::$parent,)* }
            }
        }
    };
}

roles! {
    Text        "text"          Text      "plain facts";
    Dim         "dim"           Text      "secondary facts, units, what is old";
    Strong      "strong"        Text      "the name one looks for";
    Title       "title"         Strong    "pane titles";
    TitleFocus  "title.focus"   Title     "title of the pane that has the keys";
    Rule        "rule"          Dim       "lines between panes";
    Header      "header"        Dim       "column headers";
    HeaderSort  "header.sort"   Strong    "header of the column sorted by";
    Cursor      "cursor"        Text      "the row the cursor is on";
    Marked      "marked"        Strong    "rows marked for an action on many";
    Ok          "ok"            Text      "said to be well, where that must be said";
    Warning     "warning"       Text      "needs a look";
    Failing     "failing"       Warning   "is broken";
    Progress    "progress"      Text      "is under way";
    Stale       "stale"         Dim       "not known to be current";
    Key         "key"           Strong    "a key in hints and help";
    Hint        "hint"          Dim       "what a key does";
    Input       "input"         Text      "text being typed";
    Match       "match"         Strong    "what a filter or search found";
    Dialog      "dialog"        Text      "body of a dialog";
    DialogEdge  "dialog.edge"   Rule      "frame of a dialog";
    Danger      "danger"        Failing   "what cannot be undone";
    Gap         "log.gap"       Warning   "lines are missing here";
    LogTime     "log.time"      Dim       "times in logs";
    LogTask     "log.task"      Dim       "task names in logs";
    LogError    "log.error"     Failing   "log lines that say error";
    LogWarning  "log.warning"   Warning   "log lines that say warning";
    GraphCpu    "graph.cpu"     Progress  "cpu curves";
    GraphMemory "graph.memory"  Progress  "memory curves";
    GraphNet    "graph.net"     Progress  "network curves";
}
