//! Times as texts: ISO 8601, and the locale dates of older dumps.

use time::{
    Date, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset, format_description::well_known::Rfc3339,
};

use crate::moment::Moment;

/// The moment that a text names. Locale dates carry no zone: they are taken as UTC, which is as good as any
/// while only differences matter.
pub(super) fn moment(text: &str) -> Option<Moment> {
    let text = text.trim();
    let parsed = match OffsetDateTime::parse(text, &Rfc3339) {
        Ok(time) => time,
        Err(_) => locale(text)?.assume_offset(UtcOffset::UTC),
    };
    Moment::from_millis(parsed.unix_timestamp_nanos() as f64 / 1e6)
}

/// `11/23/2026, 6:38:40 AM` (month first, unless that makes no date), `23.11.2026, 06:38:40` (day first), `2026-11-23 06:38:40`,
/// `Mon Nov 23 2026 06:38:40 GMT+0100`.
fn locale(text: &str) -> Option<PrimitiveDateTime> {
    let numbers: Vec<u32> = text
        .split(|c: char| !c.is_ascii_digit())
        .filter(|word| !word.is_empty())
        .map(|word| word.parse().ok())
        .collect::<Option<_>>()?;
    let month_name = MONTHS.iter().position(|name| text.contains(name));
    let (year, month, day, clock) = match (month_name, numbers.as_slice()) {
        (Some(month), [day, year, clock @ ..]) => (*year, u32::try_from(month + 1).ok()?, *day, clock),
        (None, [year, month, day, clock @ ..]) if *year > 31 => (*year, *month, *day, clock),
        (None, [day, month, year, clock @ ..]) if text.contains('.') => (*year, *month, *day, clock),
        (None, [month, day, year, clock @ ..]) => (*year, *month, *day, clock),
        _ => return None,
    };
    let [hour, minute, second, ..] = clock else { return None };
    // `15/07/2025`: the day first after all.
    let (month, day) = if month > 12 && day <= 12 { (day, month) } else { (month, day) };
    let lower = text.to_ascii_lowercase();
    let hour = match (lower.contains("pm"), lower.contains("am")) {
        (true, _) if *hour < 12 => hour + 12,
        (_, true) if *hour == 12 => 0,
        _ => *hour,
    };
    let small = |number: u32| u8::try_from(number).ok();
    let date = Date::from_calendar_date(
        i32::try_from(year).ok()?,
        Month::try_from(small(month)?).ok()?,
        small(day)?,
    );
    let time = Time::from_hms(small(hour)?, small(*minute)?, small(*second)?);
    Some(PrimitiveDateTime::new(date.ok()?, time.ok()?))
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect_s: Option<i64>) {
        assert_eq!(moment(text).map(|moment| moment.as_micros() / 1_000_000), expect_s);
    }

    #[test]
    fn times_of_all_ages() {
        let noon = 1_795_434_720; // 2026-11-23T11:52:00Z
        check("2026-11-23T11:52:00.000Z", Some(noon));
        check("2026-11-23T12:52:00.5+01:00", Some(noon));
        check("11/23/2026, 11:52:00 AM", Some(noon));
        check("11/23/2026, 12:00:00 AM", Some(noon - 11 * 3600 - 52 * 60));
        check("11/23/2026, 1:52:00 PM", Some(noon + 2 * 3600));
        check("23.11.2026, 11:52:00", Some(noon));
        check("23/11/2026, 11:52:00", Some(noon));
        check("Mon Nov 23 2026 11:52:00 GMT+0000", Some(noon));
        check("yesterday", None);
        check("99999999999999999999", None);
        check("13/13/2026, 1:1:1", None);
    }
}
