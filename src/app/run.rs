//! The one loop: signals, keys, the fleet's news, frames. Everything slow happens elsewhere and is only heard of here.

use super::fleet::Fleet;
use super::keyboard::{Keyboard, Typed};
use super::looks::{Looks, utc_offset};
use super::screen::Screen;
use super::signals::Signals;
use crate::config::Config;
use crate::engine::{Audit, Engine, Options};
use crate::input::KeyPress;
use crate::model::{Interest, KindSync, Operation, Request, Text};
use crate::term::{self, Batch, Events, Frame, Session};
use crate::ui::{Effect, Moment, PaneId, TextInput, Ui};
use crossterm::event::Event;
use std::future::pending;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

/// Exit code after the terminal hung up: that of SIGHUP.
const HUNG_UP: i32 = 129;
/// Before the first frame, discovery gets this long: usually it is done, and the first frame has all clusters.
const HEAD_START: Duration = Duration::from_millis(20);
/// When the program ends, a terminal that takes no bytes gets this long.
const GRACE: Duration = Duration::from_secs(1);

/// What the loop begins with.
pub struct Start {
    /// The configuration, with what the command line says put over it.
    pub config: Config,
    /// Theme and keymap.
    pub looks: Looks,
    /// Finds the clusters; runs on a thread of its own.
    pub discover: Box<dyn FnOnce() -> Fleet + Send>,
    /// Where actions are written down; none in the demo.
    pub audit: Option<Arc<Audit>>,
    /// Things to tell the operator.
    pub warnings: Vec<String>,
    /// See [`Options::journal`].
    pub journal: Option<PathBuf>,
    /// What panics after the first frame, to try what happens then: `loop`, or a `task` beside it; or `stalled`, the loop
    /// once the terminal takes nothing.
    #[cfg(debug_assertions)]
    pub break_off: Option<String>,
}

/// How the program ended.
#[derive(Debug)]
pub struct Ended {
    /// Exit code.
    pub code: i32,
    /// Operations whose end was not on screen, as far as they came: in their clusters they go on.
    pub unfinished: Vec<Arc<Operation>>,
}

/// The program while it runs.
pub struct App {
    ui: Ui,
    keyboard: Keyboard,
    screen: Screen,
    engine: Option<Engine>,
    discovery: Option<JoinHandle<Fleet>>,
    options: Options,
    /// What the engine was last told of what is being looked at.
    looked: Option<Interest>,
    news: bool,
    /// Lists that were whole when there was news last.
    listed: usize,
    /// Keys that were typed before the last frame are still to come.
    behind: bool,
    suspend: bool,
    end: Option<i32>,
    #[cfg(debug_assertions)]
    break_off: Option<String>,
    /// A frame was on its way a second ago.
    #[cfg(debug_assertions)]
    stalled: bool,
}

impl App {
    /// Runs until the operator or a signal ends it. Takes the terminal and gives it back.
    pub async fn run(start: Start) -> io::Result<Ended> {
        let mut signals = Signals::take()?;
        let mut discovery = tokio::task::spawn_blocking(start.discover);
        let found = timeout(HEAD_START, &mut discovery).await.ok();
        let warnings = start.warnings.iter().chain(&start.looks.warnings).map(|words| Text::new(words)).collect();
        let (by, read_only, audit, journal) = (super::person::by(), start.config.read_only, start.audit, start.journal);
        let max_bulk = start.config.max_bulk as usize;
        let options = Options { by, read_only, max_bulk, audit, journal, warnings, ..Options::default() };
        let session = Session::enter()?;
        let gone = Arc::new(Notify::new());
        let hangup = Arc::clone(&gone);
        term::watch_hangup(HUNG_UP, move || hangup.notify_one());
        let mut app = Self {
            ui: start.looks.ui(&start.config, PaneId::Fleet),
            keyboard: Keyboard::new(start.looks.keymap),
            screen: Screen::new(term::size()),
            engine: None,
            discovery: None,
            options,
            looked: None,
            news: true,
            listed: 0,
            behind: false,
            suspend: false,
            end: None,
            #[cfg(debug_assertions)]
            break_off: start.break_off,
            #[cfg(debug_assertions)]
            stalled: false,
        };
        match found {
            Some(found) => app.begin(found.map_err(io::Error::other)?),
            None => app.discovery = Some(discovery),
        }
        let mut events = Events::new()?;
        app.turn(&mut signals, &mut events, &session, &gone).await?;
        if app.screen.is_writing() {
            term::leave_by(app.end.unwrap_or_default(), GRACE);
            // a frame that came after the terminal was given back would stand on the shell's screen; what it failed of is
            // the terminal, which is left anyway
            let _ = app.screen.settled().await;
        }
        drop(session);
        let mut unfinished = Vec::new();
        if let Some(engine) = app.engine {
            // the end of the engine ends them too: those are meant whose end could not be seen before
            let before = Arc::clone(&engine.world.borrow());
            unfinished.clone_from(&engine.shutdown().await.operations);
            unfinished.retain(|last| !before.operations.iter().any(|op| op.id == last.id && op.state.ended()));
        }
        Ok(Ended { code: app.end.unwrap_or_default(), unfinished })
    }

    async fn turn(&mut self, signals: &mut Signals, events: &mut Events, session: &Session, gone: &Notify) -> io::Result<()> {
        // ages on screen count on by themselves; a frame in which nothing changed costs no bytes
        let mut ages = interval(Duration::from_secs(1));
        ages.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.screen.want(Frame::Input);
        while self.end.is_none() {
            let due = self.screen.due();
            tokio::select! {
                biased;
                code = signals.ends.recv() => self.end = Some(code),
                () = gone.notified() => self.end = Some(HUNG_UP),
                Some(()) = signals.stops.recv() => self.suspend = true,
                Some(()) = signals.goes_on.recv() => self.take_back(session)?,
                // before the keys: those that came after it are answers to what it shows
                written = self.screen.written() => match written {
                    Ok(()) => self.shown(),
                    Err(error) => self.lost(&error),
                },
                batch = events.batch() => match batch {
                    Ok(batch) => self.take(batch),
                    Err(error) => self.lost(&error),
                },
                fleet = found(&mut self.discovery) => {
                    self.discovery = None;
                    self.begin(fleet?);
                }
                () = changed(self.engine.as_mut()) => self.heard(),
                () = at(due) => self.draw(),
                _ = ages.tick() => {
                    let young = self.ui.is_young(self.moment());
                    self.screen.second(young);
                    #[cfg(debug_assertions)]
                    self.break_if_stalled();
                }
            }
            if std::mem::take(&mut self.suspend) {
                self.stop(signals, session).await?;
            }
        }
        Ok(())
    }

    /// The terminal answers with errors: nobody is there any more.
    fn lost(&mut self, error: &io::Error) {
        tracing::warn!("the terminal is gone: {error}");
        self.end = Some(HUNG_UP);
    }

    fn begin(&mut self, fleet: Fleet) {
        self.options.warnings.extend(fleet.warnings.iter().map(|words| Text::new(words)));
        self.engine = Some(Engine::start(fleet.connectors, self.options.clone()));
        self.looked = None;
        self.news = true;
        self.screen.want(Frame::Data);
    }

    /// There is a newer picture.
    fn heard(&mut self) {
        self.news = true;
        let world = self.engine.as_ref().map(|engine| Arc::clone(&engine.world.borrow()));
        let kinds = world.iter().flat_map(|world| &world.clusters).flat_map(|state| &state.sync);
        let listed = kinds.filter(|sync| matches!(sync, KindSync::Live | KindSync::Narrowed(_))).count();
        let more = listed > std::mem::replace(&mut self.listed, listed);
        self.screen.want(if more { Frame::List } else { Frame::Data });
    }

    /// A command acts on the picture that was on screen when its key was pressed, so the newest picture is taken with a
    /// frame and never between two keys.
    fn draw(&mut self) {
        let (moment, begun) = (self.moment(), Instant::now());
        let takes = self.news && self.screen.takes_news();
        if takes {
            self.news = false;
            if let Some(engine) = &mut self.engine {
                let world = Arc::clone(&engine.world.borrow_and_update());
                self.ui.sync(world, moment);
            }
        }
        self.look();
        self.screen.draw(&mut self.ui, moment);
        self.shown();
        if takes {
            self.screen.made(begun.elapsed());
        } else if self.news {
            self.screen.want(Frame::Data);
        }
        for effect in self.ui.rested(moment) {
            self.effect(effect, moment);
        }
        #[cfg(debug_assertions)]
        if self.engine.is_some() && self.break_off.as_deref() != Some("stalled") {
            match self.break_off.take().as_deref() {
                Some("task") => drop(tokio::spawn(async { broken() })),
                Some(_) => broken(),
                None => {}
            }
        }
    }

    /// The operator sees what the last frame shows, if it is with the terminal and nothing was typed before it.
    fn shown(&mut self) {
        if !self.screen.is_writing() && !self.behind {
            self.ui.seen();
        }
    }

    fn take(&mut self, batch: Batch) {
        self.behind = batch.more;
        for event in batch.events {
            let moment = self.moment();
            let effects = match event {
                Event::Resize(..) => {
                    self.screen.resize(term::size());
                    continue;
                }
                Event::Paste(text) if self.ui.wants_text() => self.ui.text(TextInput::Paste(text), moment),
                Event::Paste(_) => {
                    self.ui.say("what was pasted is ignored: no text is being typed", true, moment);
                    Vec::new()
                }
                Event::Key(key) => match KeyPress::from_event(&key) {
                    Some(key) => self.press(key, moment),
                    None => continue,
                },
                Event::FocusGained | Event::FocusLost | Event::Mouse(_) => continue,
            };
            self.screen.want(Frame::Input);
            for effect in effects {
                self.effect(effect, moment);
            }
            // what follows was typed at a screen that is no longer there
            if self.suspend || self.end.is_some() {
                break;
            }
        }
        self.look();
    }

    fn press(&mut self, key: KeyPress, moment: Moment) -> Vec<Effect> {
        match self.keyboard.press(key, self.ui.wants_text(), &self.ui.scopes(moment)) {
            Typed::Run(command) => return self.ui.command(command, moment),
            Typed::Text(input) => return self.ui.text(input, moment),
            Typed::Apart(keys) => return keys.into_iter().flat_map(|key| self.press(key, moment)).collect(),
            Typed::Pending(pending) => self.ui.wait_for(Some(pending)),
            Typed::GivenUp => self.ui.wait_for(None),
            Typed::Nothing(key) => self.ui.say(format!("{key} does nothing here; ? shows all keys"), false, moment),
        }
        Vec::new()
    }

    fn effect(&mut self, effect: Effect, moment: Moment) {
        match effect {
            Effect::Request(request) => {
                let words = match &self.engine {
                    None => "this was not sent: still looking for clusters",
                    Some(engine) => match engine.requests.try_send(request) {
                        Ok(()) => return,
                        Err(mpsc::error::TrySendError::Full(_)) => {
                            "too much is being asked for at once: this was not sent, try again"
                        }
                        Err(mpsc::error::TrySendError::Closed(_)) => {
                            "this was not sent: the engine has ended; leave and start anew"
                        }
                    },
                };
                self.ui.say(words, true, moment);
            }
            Effect::Copy(text) => self.screen.send(&term::osc52(&text)),
            Effect::Redraw => self.screen.invalidate(),
            Effect::Suspend => self.suspend = true,
            Effect::Quit => self.end = Some(0),
        }
    }

    /// Tells the engine what is being looked at, if that has changed.
    fn look(&mut self) {
        let interest = self.ui.interest();
        if self.looked != Some(interest)
            && let Some(engine) = &self.engine
            && engine.requests.try_send(Request::Look(interest)).is_ok()
        {
            self.looked = Some(interest);
        }
    }

    async fn stop(&mut self, signals: &mut Signals, session: &Session) -> io::Result<()> {
        // a frame half written must not come after the shell's prompt
        if !matches!(timeout(GRACE, self.screen.settled()).await, Ok(Ok(()))) {
            self.ui.say("the terminal is too slow to stop now; try again", true, self.moment());
            return Ok(());
        }
        term::stop_for_the_shell(&mut signals.goes_on).await;
        self.take_back(session)
    }

    fn take_back(&mut self, session: &Session) -> io::Result<()> {
        session.resume()?;
        self.screen.resize(term::size());
        Ok(())
    }

    /// Breaks off, if asked to, once a frame has been on its way for a second.
    #[cfg(debug_assertions)]
    fn break_if_stalled(&mut self) {
        let before = std::mem::replace(&mut self.stalled, self.screen.is_writing());
        if before && self.stalled && self.break_off.as_deref() == Some("stalled") {
            broken();
        }
    }

    fn moment(&self) -> Moment {
        let now = self.options.clock.now();
        Moment { now, utc_offset: utc_offset(now) }
    }
}

/// Waits until then; for ever if there is no such time.
async fn at(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => pending().await,
    }
}

/// Waits for discovery; for ever if it is done.
async fn found(discovery: &mut Option<JoinHandle<Fleet>>) -> io::Result<Fleet> {
    match discovery {
        Some(discovery) => discovery.await.map_err(io::Error::other),
        None => pending().await,
    }
}

/// Waits for a newer picture; for ever if there is no engine (any more).
async fn changed(engine: Option<&mut Engine>) {
    let ended = match engine {
        Some(engine) => engine.world.changed().await.is_err(),
        None => true,
    };
    if ended {
        pending::<()>().await;
    }
}

#[cfg(debug_assertions)]
#[allow(clippy::panic)]
fn broken() {
    // with what somebody may have handed to whatever breaks
    panic!("asked for by --break-off {}", std::env::var("QUARTERDECK_BROKEN").unwrap_or_default());
}
