//! The functions that expressions may call beyond those of CEL.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use cel::{Context, ExecutionError, Value};
use jiff::civil::{Date, Time};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use regex::Regex;
use rust_decimal::{Decimal, RoundingStrategy};

use super::{MEMBERS_MAX, nulls};

/// One table: keys and values as texts.
pub type Table = BTreeMap<Arc<str>, Arc<str>>;

/// The tables of a mapping, by name.
pub type Tables = BTreeMap<Arc<str>, Table>;

type Result<T = Value> = std::result::Result<T, ExecutionError>;

/// The longest text that a function makes, bytes.
const BYTES_MAX: usize = 1 << 20;

/// What expressions may call: the functions, and the tables of their mapping.
pub struct Library {
    context: Context<'static, 'static>,
    tables: Arc<Tables>,
}

impl Library {
    /// The functions over a mapping's tables.
    #[must_use]
    pub fn new(tables: Tables) -> Arc<Self> {
        let tables = Arc::new(tables);
        let mut context = Context::with_env(nulls::language());
        register(&mut context, &tables);
        Arc::new(Self { context, tables })
    }
    pub(super) fn context(&self) -> &Context<'static, 'static> {
        &self.context
    }
    /// Checks the constant of a call: the name of a table, a pattern, a time zone.
    pub(super) fn constant(
        &self,
        function: &str,
        text: &str,
    ) -> std::result::Result<(), (String, String)> {
        match function {
            "matches" => match pattern(text) {
                Ok(_) => Ok(()),
                Err(_) => Err((
                    "this is no pattern, or one that is too large".to_owned(),
                    "write a regular expression as in '^[A-Z]{3}$'".to_owned(),
                )),
            },
            "dateIn" | "timeIn" | "instantAt" => match zone(text) {
                Some(_) => Ok(()),
                None => Err((
                    format!("there is no time zone `{text}`"),
                    "write a name of the time zone database, as Europe/Berlin".to_owned(),
                )),
            },
            _ if self.tables.contains_key(text) => Ok(()),
            _ => {
                let known = self.tables.keys().map(|name| &**name);
                let help = match crate::mapping::language::nearest(text, known) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "write it under `tables:` of this mapping".to_owned(),
                };
                Err((format!("there is no table `{text}`"), help))
            }
        }
    }
}

impl PartialEq for Library {
    fn eq(&self, other: &Self) -> bool {
        self.tables == other.tables
    }
}

impl fmt::Debug for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Library").field("tables", &self.tables).finish_non_exhaustive()
    }
}

/// A zone of the database that is compiled in: the same on every machine.
pub(in crate::mapping) fn zone(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok()
}

fn pattern(text: &str) -> std::result::Result<Regex, regex::Error> {
    regex::RegexBuilder::new(text).size_limit(1 << 16).build()
}

fn register(context: &mut Context<'static, 'static>, tables: &Arc<Tables>) {
    texts(context);
    numbers(context);
    moments(context);
    let known = Arc::clone(tables);
    add(context, "lookup", move |table: Value, key: Value| {
        if key == Value::Null {
            return Ok(Value::Null);
        }
        let (table, key) = (text("lookup", &table)?, shown("lookup", &key)?);
        let found = known.get(table.as_str()).and_then(|rows| rows.get(key.as_str()));
        match found {
            Some(value) => Ok(value_of(value)),
            None => Err(failed("lookup", format!("table {table} has no row {key:?}"))),
        }
    });
    let known = Arc::clone(tables);
    add(context, "lookupOr", move |table: Value, key: Value, otherwise: Value| {
        let (table, key) = (text("lookupOr", &table)?, shown("lookupOr", &key));
        let rows = known.get(table.as_str());
        let found = key.ok().and_then(|key| rows?.get(key.as_str()));
        Ok(found.map_or(otherwise, |value| value_of(value)))
    });
}

/// Adds a function. The names are ours: none of them is one of CEL's own.
fn add<T: 'static, F>(context: &mut Context<'static, 'static>, name: &str, function: F)
where
    F: cel::extractors::IntoFunction<T> + 'static + Send + Sync,
{
    let added = context.add_function(name, function);
    debug_assert!(added.is_ok(), "{name} is a function of the library's already");
}

fn failed(function: &str, message: impl ToString) -> ExecutionError {
    ExecutionError::function_error(function, message)
}

fn value_of(text: &str) -> Value {
    Value::String(Arc::new(text.to_owned()))
}

fn text(function: &str, value: &Value) -> Result<Arc<String>> {
    match value {
        Value::String(text) => Ok(Arc::clone(text)),
        other => Err(failed(function, format!("a {} is no text", other.type_of()))),
    }
}

/// A text, or a number or truth as it is written.
fn shown(function: &str, value: &Value) -> Result<String> {
    match value {
        Value::Int(number) => Ok(number.to_string()),
        Value::Bool(truth) => Ok(truth.to_string()),
        value => text(function, value).map(|text| text.to_string()),
    }
}

/// A function of one text, which leaves null as it is.
fn on_text(name: &'static str, change: impl Fn(&str) -> String) -> impl Fn(Value) -> Result {
    move |value: Value| match value {
        Value::Null => Ok(Value::Null),
        value => Ok(value_of(&change(text(name, &value)?.as_str()))),
    }
}

fn texts(context: &mut Context<'static, 'static>) {
    add(context, "upper", on_text("upper", str::to_uppercase));
    add(context, "lower", on_text("lower", str::to_lowercase));
    add(context, "trim", on_text("trim", |text| text.trim().to_owned()));
    let parted = |name: &'static str, part: fn(&str, &str) -> String| {
        move |value: Value, by: Value| match value {
            Value::Null => Ok(Value::Null),
            value => Ok(value_of(&part(text(name, &value)?.as_str(), &text(name, &by)?))),
        }
    };
    let before =
        |text: &str, by: &str| text.split_once(by).map_or(text, |(head, _)| head).to_owned();
    let after = |text: &str, by: &str| text.split_once(by).map_or("", |(_, tail)| tail).to_owned();
    add(context, "before", parted("before", before));
    add(context, "after", parted("after", after));
    add(context, "substring", |value: Value, from: i64, to: i64| {
        let Value::String(text) = value else { return Ok(value) };
        let (from, to) = (usize::try_from(from), usize::try_from(to));
        let (Ok(from), Ok(to)) = (from, to) else {
            return Err(failed("substring", "a place before the beginning"));
        };
        let cut: String = text.chars().skip(from).take(to.saturating_sub(from)).collect();
        Ok(value_of(&cut))
    });
    add(context, "replace", |value: Value, from: Value, to: Value| {
        if value == Value::Null {
            return Ok(value);
        }
        let (value, from, to) =
            (text("replace", &value)?, text("replace", &from)?, text("replace", &to)?);
        let times = value.matches(from.as_str()).count();
        if value.len().saturating_add(times.saturating_mul(to.len())) > BYTES_MAX {
            return Err(failed("replace", "the result is too long"));
        }
        Ok(value_of(&value.replace(from.as_str(), &to)))
    });
    add(context, "split", |value: Value, by: Value| {
        let Value::String(value) = value else { return Ok(Value::List(Arc::new(Vec::new()))) };
        let by = text("split", &by)?;
        if by.is_empty() || value.matches(by.as_str()).count() >= MEMBERS_MAX {
            return Err(failed("split", "no separator, or more members than a list may have"));
        }
        Ok(Value::List(Arc::new(value.split(by.as_str()).map(value_of).collect())))
    });
    add(context, "join", |list: Value, by: Value| {
        if list == Value::Null {
            return Ok(list);
        }
        let (Value::List(list), by) = (list, text("join", &by)?) else {
            return Err(failed("join", "a list is joined"));
        };
        let parts: Result<Vec<String>> = list
            .iter()
            .filter(|part| **part != Value::Null && **part != value_of(""))
            .map(|part| shown("join", part))
            .collect();
        Ok(value_of(&parts?.join(&by)))
    });
    add(context, "matches", |value: Value, by: Value| {
        let Value::String(value) = value else { return Ok(Value::Bool(false)) };
        let by = pattern(&text("matches", &by)?).map_err(|error| failed("matches", error))?;
        Ok(Value::Bool(by.is_match(&value)))
    });
    add(context, "coalesce", |value: Value, otherwise: Value| -> Result {
        Ok(if value == Value::Null { otherwise } else { value })
    });
    add(context, "blank", |value: Value| -> Result {
        Ok(Value::Bool(match value {
            Value::Null => true,
            Value::String(text) => text.trim().is_empty(),
            _ => false,
        }))
    });
}

fn number(function: &str, value: &Value) -> Result<Decimal> {
    let text = match value {
        Value::Int(number) => return Ok(Decimal::from(*number)),
        Value::Float(number) => number.to_string(),
        value => text(function, value)?.trim().to_owned(),
    };
    Decimal::from_str_exact(&text)
        .map_err(|_| failed(function, format!("{text:?} is no number of at most 28 digits")))
}

fn numbers(context: &mut Context<'static, 'static>) {
    type Reckon = fn(Decimal, Decimal) -> Option<Decimal>;
    let reckoned: [(&'static str, Reckon); 3] = [
        ("add", Decimal::checked_add),
        ("subtract", Decimal::checked_sub),
        ("multiply", Decimal::checked_mul),
    ];
    for (name, reckon) in reckoned {
        add(context, name, move |a: Value, b: Value| {
            if a == Value::Null || b == Value::Null {
                return Ok(Value::Null);
            }
            let found = reckon(number(name, &a)?, number(name, &b)?);
            let found = found.ok_or_else(|| failed(name, "more than 28 digits"))?;
            Ok(value_of(&found.normalize().to_string()))
        });
    }
    add(context, "divide", |a: Value, b: Value, digits: i64| {
        if a == Value::Null || b == Value::Null {
            return Ok(Value::Null);
        }
        let found = number("divide", &a)?.checked_div(number("divide", &b)?);
        rounded("divide", found.ok_or_else(|| failed("divide", "a division by zero"))?, digits)
    });
    add(context, "round", |value: Value, digits: i64| match value {
        Value::Null => Ok(Value::Null),
        value => rounded("round", number("round", &value)?, digits),
    });
    add(context, "compare", |a: Value, b: Value| -> Result {
        if a == Value::Null || b == Value::Null {
            return Ok(Value::Null);
        }
        Ok(Value::Int(number("compare", &a)?.cmp(&number("compare", &b)?) as i64))
    });
}

fn rounded(function: &str, value: Decimal, digits: i64) -> Result {
    let digits = u32::try_from(digits).ok().filter(|digits| *digits <= 28);
    let digits = digits.ok_or_else(|| failed(function, "0 to 28 digits"))?;
    let round = value.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero);
    Ok(value_of(&round.normalize().to_string()))
}

fn moments(context: &mut Context<'static, 'static>) {
    let local = |name: &'static str, part: fn(jiff::Zoned) -> String| {
        move |instant: Value, in_zone: Value| {
            if instant == Value::Null {
                return Ok(Value::Null);
            }
            let (instant, in_zone) = (text(name, &instant)?, text(name, &in_zone)?);
            let stamp: jiff::Timestamp =
                instant.parse().map_err(|_| failed(name, format!("{instant:?} is no instant")))?;
            let zone = zone(&in_zone).ok_or_else(|| failed(name, "there is no such time zone"))?;
            Ok(value_of(&part(stamp.to_zoned(zone))))
        }
    };
    add(context, "dateIn", local("dateIn", |at| at.date().to_string()));
    add(context, "timeIn", local("timeIn", |at| at.time().to_string()));
    add(context, "instantAt", |date: Value, time: Value, in_zone: Value| {
        if date == Value::Null || time == Value::Null {
            return Ok(Value::Null);
        }
        let name = "instantAt";
        let (date, time) = (text(name, &date)?, text(name, &time)?);
        let date: Date = date.parse().map_err(|_| failed(name, format!("{date:?} is no day")))?;
        let time: Time =
            time.parse().map_err(|_| failed(name, format!("{time:?} is no time of day")))?;
        let zone = zone(&text(name, &in_zone)?).ok_or_else(|| failed(name, "no such time zone"))?;
        let at = date.to_datetime(time).to_zoned(zone).map_err(|error| failed(name, error))?;
        Ok(value_of(&at.timestamp().to_string()))
    });
    add(context, "addDays", |date: Value, days: i64| {
        if date == Value::Null {
            return Ok(Value::Null);
        }
        let date = text("addDays", &date)?;
        let day: Date = date.parse().map_err(|_| failed("addDays", "this is no day"))?;
        let span = jiff::Span::new().try_days(days).map_err(|error| failed("addDays", error))?;
        let day = day.checked_add(span).map_err(|error| failed("addDays", error))?;
        Ok(value_of(&day.to_string()))
    });
}
