//! What simulated services write into their logs.

use super::chance::Dice;
use super::scenario::Profile;
use crate::model::{Stream, Text};

/// What troubles a service in a second.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Trouble {
    None,
    /// Its memory is that full.
    Memory(f64),
    /// It says this again and again.
    Error(Text),
}

/// The first lines of a run.
pub(super) fn opening(profile: Profile, name: &str, image: &str) -> Vec<String> {
    let version = image.rsplit_once(':').map_or("latest", |(_, tag)| tag);
    let listens = match profile {
        Profile::Http => "listening on :8080",
        Profile::Proxy => "listening on :8443 (http/1.1, h2)",
        Profile::Database => "ready to accept connections on port 5432",
        Profile::Cache => "ready to accept connections on port 6379",
        Profile::Queue => "started TCP listener on [::]:5672",
        Profile::Worker => "waiting for work",
        Profile::Agent => "watching /var/log and /proc",
        Profile::Batch => "working",
    };
    vec![format!("INFO  {name} {version} starting"), "INFO  configuration read, 14 keys".to_owned(), format!("INFO  {listens}")]
}

/// The lines of one second, each with its millisecond. `demand` is how much work there is.
pub(super) fn second(profile: Profile, trouble: &Trouble, dice: &mut Dice, demand: f64) -> Vec<(i64, Stream, String)> {
    // lines in a hundred seconds when there is little to do
    let rate = match profile {
        Profile::Http | Profile::Proxy => 90.0,
        Profile::Worker | Profile::Queue => 35.0,
        Profile::Batch => 60.0,
        Profile::Database | Profile::Cache => 12.0,
        Profile::Agent => 6.0,
    };
    let hundredths = (rate * (0.4 + demand / 3.0).min(2.0)) as i64;
    let count = hundredths / 100 + i64::from(dice.between(0, 99) < hundredths % 100);
    let mut lines: Vec<(i64, Stream, String)> =
        (0..count).map(|_| (dice.between(0, 999), Stream::Out, usual(profile, dice))).collect();
    match trouble {
        Trouble::None => {}
        Trouble::Memory(full) if dice.between(0, 5) == 0 => {
            let percent = (full * 100.0) as u32;
            lines.push((
                dice.between(0, 999),
                Stream::Err,
                format!("WARN  heap {percent}% full, collection took {} ms", dice.between(80, 900)),
            ));
        }
        Trouble::Error(says) if dice.between(0, 1) == 0 => lines.push((dice.between(0, 999), Stream::Err, format!("ERROR {says}"))),
        Trouble::Memory(_) | Trouble::Error(_) => {}
    }
    lines.sort_by_key(|(at, _, _)| *at);
    lines
}

fn usual(profile: Profile, dice: &mut Dice) -> String {
    let pick = |dice: &mut Dice, of: &[&str]| {
        let at = dice.between(0, of.len() as i64 - 1) as usize;
        (*of.get(at).unwrap_or(&"")).to_owned()
    };
    let id = dice.between(10_000, 99_999);
    match profile {
        Profile::Http => {
            let what = [
                "GET /",
                "GET /api/items",
                "GET /api/items/{}",
                "GET /api/basket",
                "POST /api/orders",
                "PUT /api/basket",
                "GET /healthz",
            ];
            let request = pick(dice, &what).replace("{}", &id.to_string());
            let (status, level) = match dice.between(0, 99) {
                0 => ("503", "WARN "),
                1..=4 => ("404", "INFO "),
                _ => ("200", "INFO "),
            };
            format!("{level} {request} {status} {} ms", dice.between(2, 180))
        }
        Profile::Proxy => format!(
            "10.{}.{}.{} \"GET /{} HTTP/2.0\" {} {}",
            dice.between(0, 40),
            dice.between(0, 255),
            dice.between(1, 254),
            pick(dice, &["", "static/app.js", "static/app.css", "img/hero.webp", "api/items"]),
            pick(dice, &["200", "200", "200", "304", "404"]),
            dice.between(180, 48_000)
        ),
        Profile::Database => match dice.between(0, 3) {
            0 => format!(
                "LOG:  checkpoint complete: wrote {} buffers; write={}.{:03} s",
                dice.between(40, 4_000),
                dice.between(1, 29),
                dice.between(0, 999)
            ),
            1 => format!("LOG:  automatic vacuum of table \"orders\": {} tuples removed", dice.between(10, 9_000)),
            2 => format!(
                "LOG:  duration: {}.{:03} ms  statement: select * from orders where id = $1",
                dice.between(500, 2_400),
                dice.between(0, 999)
            ),
            _ => format!("LOG:  connection authorized: user=app database=shop pid={id}"),
        },
        Profile::Cache => {
            pick(dice, &["* DB saved on disk", "* Background saving started", "* 100 changes in 300 seconds. Saving..."])
        }
        Profile::Queue => format!(
            "[info] <0.{id}.0> {}",
            pick(dice, &["accepting AMQP connection", "closing AMQP connection", "queue mirrored: orders", "confirm sent"])
        ),
        Profile::Worker => {
            format!("INFO  job {id} {} in {} ms", pick(dice, &["done", "done", "done", "retried"]), dice.between(12, 4_000))
        }
        Profile::Agent => format!("INFO  shipped {} records in {} ms", dice.between(20, 900), dice.between(3, 90)),
        Profile::Batch => format!("INFO  step {} of 12000 done", dice.between(1, 12_000)),
    }
}
