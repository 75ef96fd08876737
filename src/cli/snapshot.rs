//! One frame without a terminal.

use super::args::{Args, Format, Snapshot};
use super::{Failure, lists, picture, svg};
use crate::app::{self, Keyboard, Looks, Typed, utc_offset};
use crate::backend::sim;
use crate::config::Config;
use crate::engine::{self, Clock, Engine, Replay};
use crate::input::Keys;
use crate::model::{Kind, KindSync, Link, World};
use crate::theme::ColorDepth;
use crate::ui::{Effect, Moment, Ui};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Between two looks at the simulated fleet, as often as its clock would look.
const STEP: Duration = Duration::from_secs(1);
/// What was asked for with keys gets this long to show.
const AFTERWARDS: Duration = Duration::from_millis(1_500);

pub(super) fn run(args: &Args, options: &Snapshot) -> Result<ExitCode, Failure> {
    let (paths, mut config) = args.configuration()?;
    // the same picture everywhere
    config.utc |= args.common.demo;
    let depth = match options.format {
        Format::Text => ColorDepth::None,
        Format::Ansi => ColorDepth::Indexed,
        Format::Svg => ColorDepth::True,
    };
    let looks = Looks::for_pictures(&config, &paths, depth);
    for warning in &looks.warnings {
        super::tell(warning);
    }
    let keys = match options.keys.trim() {
        "" => None,
        keys => Some(Keys::parse(keys).map_err(|words| Failure::usage(format!("--keys: {words}")))?),
    };
    // nobody looks at what the keys do, or stays to see how it ends
    config.read_only |= keys.is_some() && !args.common.demo;
    let mut ui = looks.ui(&config, options.pane());
    let moment = match (args.common.demo, &keys) {
        (true, None) => played(args, options.at, &mut ui)?,
        _ => {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
            let runtime = runtime.map_err(|error| Failure::failed(format!("cannot start: {error}")))?;
            let engine = engine::Options {
                by: app::by(),
                read_only: config.read_only,
                max_bulk: config.max_bulk as usize,
                audit: args.audit(&paths),
                ..engine::Options::default()
            };
            let moment = runtime.block_on(watched(args, options, &config, engine, &looks, keys.as_ref(), &mut ui));
            runtime.shutdown_timeout(Duration::from_millis(100));
            moment?
        }
    };
    let mut buffer = Buffer::empty(Rect::from((Position::ORIGIN, options.size)));
    ui.render(buffer.area, &mut buffer, moment);
    lists::print(&match options.format {
        Format::Text => picture::text(&buffer),
        Format::Ansi => picture::ansi(&buffer),
        Format::Svg => svg::draw(&buffer, &looks.theme),
    })
}

/// The simulated fleet, played by hand up to `at`: the same frame every time.
fn played(args: &Args, at: Duration, ui: &mut Ui) -> Result<Moment, Failure> {
    let demo = args.choice().demo.unwrap_or_default();
    let scenario = demo.scenario().map_err(Failure::usage)?;
    let mut fleet = sim::Fleet::new(&scenario, sim::Options { seed: demo.seed, ..sim::Options::default() });
    let known: Vec<String> = fleet.clusters().iter().map(|cluster| cluster.id.to_string()).collect();
    for name in &args.common.cluster {
        app::named("cluster", name, &known).map_err(Failure::usage)?;
    }
    let mut replay = Replay::new(fleet.clusters().into_iter().filter(|c| wanted(args, &c.id)));
    let mut time = Duration::ZERO;
    loop {
        replay.take(fleet.advance(time), fleet.at(time));
        if time >= at {
            break;
        }
        time = (time + STEP).min(at);
    }
    let moment = Moment { now: fleet.at(at), utc_offset: 0 };
    ui.sync(replay.picture(), moment);
    Ok(moment)
}

fn wanted(args: &Args, id: &str) -> bool {
    args.common.cluster.is_empty() || args.common.cluster.iter().any(|name| name == id)
}

/// A running fleet: waits until every cluster has answered or `--wait` is over, presses the keys, and looks once more.
async fn watched(
    args: &Args,
    options: &Snapshot,
    config: &Config,
    engine: engine::Options,
    looks: &Looks,
    keys: Option<&Keys>,
    ui: &mut Ui,
) -> Result<Moment, Failure> {
    let demo = sim::Options { start_at: options.at, ..sim::Options::default() };
    let clock = if args.common.demo { Clock::starting_at(demo.epoch.plus(options.at)) } else { Clock::System };
    let fleet = app::discover(config, &args.choice(), demo).map_err(Failure::usage)?;
    for warning in &fleet.warnings {
        super::tell(warning);
    }
    let engine = engine::Options { clock: clock.clone(), ..engine };
    let mut engine = Engine::start(fleet.connectors, engine);
    let moment = || {
        let now = clock.now();
        Moment { now, utc_offset: if args.common.demo { 0 } else { utc_offset(now) } }
    };
    let end = Instant::now() + options.wait;
    while !settled(&engine.world.borrow()) && matches!(timeout_at(end, engine.world.changed()).await, Ok(Ok(()))) {}
    let mut keyboard = Keyboard::new(looks.keymap.clone());
    for key in keys.into_iter().flat_map(Keys::presses) {
        ui.sync(Arc::clone(&engine.world.borrow_and_update()), moment());
        // a key is pressed at a screen
        let mut screen = Buffer::empty(Rect::from((Position::ORIGIN, options.size)));
        ui.render(screen.area, &mut screen, moment());
        ui.seen();
        let effects = match keyboard.press(*key, ui.wants_text(), &ui.scopes(moment())) {
            Typed::Run(command) => ui.command(command, moment()),
            Typed::Text(input) => ui.text(input, moment()),
            Typed::Pending(pending) => {
                ui.wait_for(Some(pending));
                Vec::new()
            }
            Typed::GivenUp => {
                ui.wait_for(None);
                Vec::new()
            }
            // keys named on the command line have not arrived over any link
            Typed::Apart(_) | Typed::Nothing(_) => Vec::new(),
        };
        for effect in effects {
            if let Effect::Request(request) = effect {
                engine.requests.send(request).await.map_err(|_| Failure::failed("the engine has ended"))?;
            }
        }
    }
    if keys.is_some() {
        tokio::time::sleep(AFTERWARDS).await;
    }
    let now = moment();
    ui.sync(Arc::clone(&engine.world.borrow_and_update()), now);
    engine.shutdown().await;
    Ok(now)
}

/// Whether nothing more is to come soon: each cluster has been reached and read, or has said why not.
fn settled(world: &World) -> bool {
    world.clusters.iter().all(|state| match state.cluster.link {
        Link::Connecting => false,
        Link::Live => Kind::ALL
            .iter()
            .all(|kind| matches!(state.sync_of(*kind), KindSync::Live | KindSync::Narrowed(_) | KindSync::Failed { .. })),
        _ => true,
    })
}
