//! What links do to 10⁵ packets, against what their models promise.
//!
//! Each bound is four standard errors of what is counted, unless it says otherwise: a correct model fails
//! one of these in 15 000 seeds, and this seed is fixed.

use std::time::Duration;

use netsim::{
    AccessCounts, Correlation, GilbertElliott, LinkModel, Probability, QueueLimit, Rate, Reordering, Spread,
    TailIndex, World,
};
use timeline::Verdict;

use crate::world::{NAMES, address, config, ms, perfect, run};

const COUNT: u32 = 100_000;

fn p(value: f64) -> Probability {
    Probability::new(value).unwrap()
}

/// What became of a stream.
struct Seen {
    /// Whether each datagram arrived, in the order of sending.
    arrived: Vec<bool>,
    /// The delay of each that arrived, in milliseconds, in the order of arrival, with its number.
    delays: Vec<(u32, u64)>,
    /// How many had a payload other than what was sent.
    damaged: usize,
    counts: AccessCounts,
    verdicts: Vec<Verdict>,
}

/// Sends `COUNT` datagrams of `payload` bytes over one half-link with `model`, `per_ms` of them in each
/// millisecond.
fn stream(model: LinkModel, payload: usize, per_ms: u32) -> Seen {
    let mut config = config(11, perfect(Duration::ZERO));
    config.hosts[0].access.up = model;
    let outcome = run(config, move |world| async move { exchange(&world, payload, per_ms).await });
    let verdicts: Vec<_> = outcome.packets.iter().map(|packet| packet.verdict).collect();
    let (delays, damaged) = outcome.value.unwrap();
    let arrived = verdicts.iter().map(|verdict| verdict.arrived()).collect();
    Seen { arrived, delays, damaged, counts: outcome.counts.hosts["a"], verdicts }
}

async fn exchange(world: &World, payload: usize, per_ms: u32) -> (Vec<(u32, u64)>, usize) {
    let [a, b] = NAMES.map(|name| world.host(&name.into()).unwrap());
    let a = a.bind_udp(address("10.0.0.1:9")).unwrap();
    let b = b.bind_udp(address("10.0.0.2:9")).unwrap();
    let clock = world.clone();
    let receiving = tokio::spawn(async move {
        let (mut buf, mut delays, mut damaged) = (vec![0; 2000], Vec::new(), 0);
        while let Ok(received) = tokio::time::timeout(ms(100_000), b.recv_from(&mut buf)).await {
            let (len, _) = received.unwrap();
            // The number and its complement: one flipped bit cannot hide.
            let [number, check] = [0, 4].map(|at| u32::from_le_bytes(buf[at..at + 4].try_into().unwrap()));
            let is_damaged = number != !check || buf[8..len].iter().any(|byte| *byte != 7);
            damaged += usize::from(is_damaged);
            if !is_damaged {
                delays.push((number, clock.now().as_millis() - u64::from(number / per_ms)));
            }
        }
        (delays, damaged)
    });
    let start = tokio::time::Instant::now();
    for number in 0..COUNT {
        tokio::time::sleep_until(start + ms(u64::from(number / per_ms))).await;
        let mut datagram = vec![7; payload];
        datagram[..4].copy_from_slice(&number.to_le_bytes());
        datagram[4..8].copy_from_slice(&(!number).to_le_bytes());
        a.send_to(&datagram, address("10.0.0.2:9")).await.unwrap();
    }
    receiving.await.unwrap()
}

#[track_caller]
fn assert_rate(found: u64, expect: f64, sigmas_of_count: f64) {
    let mean = f64::from(COUNT) * expect;
    assert!((found as f64 - mean).abs() <= sigmas_of_count, "{found} instead of {mean} ± {sigmas_of_count}");
}

/// Four standard deviations of the number of independent events.
fn four_sigmas(probability: f64) -> f64 {
    4.0 * (f64::from(COUNT) * probability * (1.0 - probability)).sqrt()
}

/// The lengths of the runs of lost packets.
fn bursts(arrived: &[bool]) -> Vec<usize> {
    arrived.split(|arrived| *arrived).map(<[bool]>::len).filter(|len| *len > 0).collect()
}

#[test]
fn bursts_have_the_loss_and_the_mean_length_that_were_asked_for() {
    for (loss, mean_burst) in [(0.05, 4.0), (0.02, 1.5), (0.3, 10.0)] {
        let chain = GilbertElliott::bursts(p(loss), mean_burst).unwrap();
        let seen = stream(LinkModel { bursts: Some(chain), ..LinkModel::with_delay(ms(5)) }, 8, 10);
        let lost = seen.arrived.iter().filter(|arrived| !**arrived).count() as u64;
        assert_eq!(lost, seen.counts.up.lost);
        // A two-state chain's sum has the variance n π (1 − π) (1 + λ) / (1 − λ), with λ = 1 − p − r.
        let lambda = 1.0 - chain.to_bad.get() - chain.to_good.get();
        assert_rate(lost, loss, four_sigmas(loss) * ((1.0 + lambda) / (1.0 - lambda)).sqrt());
        // Lengths are geometric: mean L, variance L (L − 1).
        let bursts = bursts(&seen.arrived);
        let mean = lost as f64 / bursts.len() as f64;
        let bound = 4.0 * (mean_burst * (mean_burst - 1.0) / bursts.len() as f64).sqrt();
        assert!((mean - mean_burst).abs() <= bound, "mean burst {mean} instead of {mean_burst} ± {bound}");
        // The share of bursts of one packet is r.
        let (single, r) = (bursts.iter().filter(|len| **len == 1).count() as f64, 1.0 / mean_burst);
        let bound = 4.0 * (bursts.len() as f64 * r * (1.0 - r)).sqrt();
        assert!((single - bursts.len() as f64 * r).abs() <= bound, "{single} of {} are single", bursts.len());
    }
}

#[test]
fn four_probabilities_give_their_closed_form() {
    let chain = GilbertElliott { to_bad: p(0.01), to_good: p(0.09), loss_good: p(0.02), loss_bad: p(0.5) };
    let expect = 0.1 * 0.5 + 0.9 * 0.02;
    assert!((chain.mean_loss().get() - expect).abs() < 1e-12);
    let seen = stream(LinkModel { bursts: Some(chain), ..LinkModel::with_delay(ms(5)) }, 8, 10);
    // The losses' own variance, and that of the states times (0.48)²; λ = 0.9, so the states' is 19-fold.
    let n = f64::from(COUNT);
    let own = n * (0.1 * 0.25 + 0.9 * 0.02 * 0.98);
    let states = n * 0.09 * 19.0 * 0.48 * 0.48;
    assert_rate(seen.counts.up.lost, expect, 4.0 * (own + states).sqrt());
}

/// The share of delays at or below each quantile must be that quantile, within four standard errors of a
/// proportion. `at` gives the delay of a quantile in milliseconds; delays are rounded up to whole ones, so
/// the true share is known only at those: `cdf` gives it there.
#[track_caller]
fn assert_distribution(model: LinkModel, cdf: impl Fn(f64) -> f64, inflation: f64) {
    let seen = stream(model, 8, 10);
    assert_eq!(seen.delays.len(), COUNT as usize);
    let mut delays: Vec<u64> = seen.delays.iter().map(|(_, delay)| *delay).collect();
    delays.sort_unstable();
    let mut checked = 0;
    for quantile in [0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999] {
        let delay = delays[(quantile * f64::from(COUNT)) as usize];
        let expect = cdf(delay as f64);
        let found = delays.partition_point(|other| *other <= delay) as u64;
        if expect < 1.0 {
            assert_rate(found, expect, four_sigmas(expect).max(4.0) * inflation);
            checked += 1;
        }
    }
    assert!(checked >= 8, "only {checked} quantiles say something");
}

/// The normal distribution, by its series: not the approximation that the model uses.
fn normal(z: f64) -> f64 {
    let (mut sum, mut term) = (0.0, z);
    for k in 0..200 {
        sum += term;
        term *= z * z / f64::from(2 * k + 3);
    }
    0.5 + sum * (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

#[test]
fn uniform_jitter_has_its_quantiles() {
    let model = LinkModel { jitter: ms(80), ..LinkModel::with_delay(ms(20)) };
    assert_distribution(model, |delay| (delay - 20.0) / 80.0, 1.0);
}

#[test]
fn a_normal_spread_has_its_quantiles() {
    let model = LinkModel { spread: Spread::Normal { sigma: ms(25) }, ..LinkModel::with_delay(ms(150)) };
    assert_distribution(model, |delay| normal((delay - 150.0) / 25.0), 1.0);
}

#[test]
fn a_normal_spread_is_cut_off_at_zero() {
    let model = LinkModel { spread: Spread::Normal { sigma: ms(40) }, ..LinkModel::with_delay(ms(20)) };
    let seen = stream(model, 8, 10);
    let at_once = seen.delays.iter().filter(|(_, delay)| *delay == 0).count() as u64;
    assert_rate(at_once, normal(-0.5), four_sigmas(normal(-0.5)));
}

#[test]
fn a_heavy_tail_has_its_quantiles() {
    for index in [1.5, 3.0] {
        let tail = Spread::HeavyTail { scale: ms(40), index: TailIndex::new(index).unwrap() };
        let model = LinkModel { spread: tail, ..LinkModel::with_delay(ms(10)) };
        assert_distribution(model, |delay| 1.0 - (1.0 + (delay - 10.0) / 40.0).powf(-index), 1.0);
    }
}

/// Correlation changes the order of the delays, not their distribution. The effective number of packets is
/// smaller by (1 + ρ) / (1 − ρ) at most.
#[test]
fn correlation_keeps_the_distribution_and_joins_neighbours() {
    let rho: f64 = 0.6;
    let model = LinkModel {
        spread: Spread::Normal { sigma: ms(25) },
        correlation: Correlation::new(rho).unwrap(),
        ..LinkModel::with_delay(ms(150))
    };
    let inflation = ((1.0 + rho) / (1.0 - rho)).sqrt();
    assert_distribution(model, |delay| normal((delay - 150.0) / 25.0), inflation);
    let mut delays = stream(model, 8, 10).delays;
    delays.sort_unstable();
    let delays: Vec<f64> = delays.iter().map(|(_, delay)| *delay as f64).collect();
    let mean = delays.iter().sum::<f64>() / delays.len() as f64;
    let variance: f64 = delays.iter().map(|delay| (delay - mean).powi(2)).sum();
    let covariance: f64 = delays.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum();
    // The standard error of a first autocorrelation is below 1 / √n; rounding takes 1/12 ms² of 625.
    let found = covariance / variance;
    assert!((found - rho).abs() < 4.0 / f64::from(COUNT).sqrt() + 0.001, "correlation {found}");
    let uniform = LinkModel { jitter: ms(80), spread: Spread::None, ..model };
    assert_distribution(uniform, |delay| (delay - 150.0) / 80.0, inflation);
}

fn rate(bps: u64, queue: QueueLimit) -> LinkModel {
    let bps = bps.try_into().unwrap();
    LinkModel { rate: Some(Rate { bps, queue }), ..LinkModel::with_delay(ms(10)) }
}

/// 1000 bytes on the wire, ten a millisecond, are 80 Mbit/s; a link of 8 Mbit/s lets a tenth through, one a
/// millisecond, and a queue of 50 000 bytes keeps each for 50 ms.
#[test]
fn an_overloaded_link_carries_its_rate_and_delays_by_its_queue() {
    for queue in [QueueLimit::Bytes(50_000), QueueLimit::Time(ms(49))] {
        let seen = stream(rate(8_000_000, queue), 1000 - 28, 10);
        // 10 s of sending, one datagram a millisecond; the queue's 50 still arrive afterwards.
        let arrived = seen.delays.len() as u64;
        assert!((9_999 + 49..=10_001 + 50).contains(&arrived), "{arrived} arrived");
        assert_eq!(arrived + seen.counts.up.queue_full, u64::from(COUNT));
        assert!(
            seen.verdicts.iter().all(|verdict| matches!(verdict, Verdict::Delivered | Verdict::QueueFull))
        );
        let most = seen.delays.iter().map(|(_, delay)| *delay).max().unwrap();
        assert_eq!(most, 10 + 50, "{queue:?}");
        let steady = seen.delays.iter().skip(1000).all(|(_, delay)| (59..=60).contains(delay));
        assert!(steady, "a full queue delays everybody alike");
    }
}

#[test]
fn a_link_that_is_fast_enough_adds_the_time_of_transmission_alone() {
    // Ten datagrams of 1000 bytes at once, once a millisecond, at exactly 80 Mbit/s: the last waits for 1 ms.
    let seen = stream(rate(80_000_000, QueueLimit::Bytes(10_000)), 1000 - 28, 10);
    assert_eq!(seen.delays.len(), COUNT as usize);
    assert!(seen.delays.iter().all(|(_, delay)| *delay == 11));
    let seen = stream(rate(80_000_000, QueueLimit::Bytes(9_999)), 1000 - 28, 10);
    assert_eq!(seen.counts.up.queue_full, u64::from(COUNT / 10), "one byte less holds one datagram less");
}

#[test]
fn duplicates_and_damage_are_as_frequent_as_they_should_be() {
    let model = LinkModel { duplication: p(0.03), corruption: p(0.01), ..LinkModel::with_delay(ms(5)) };
    let seen = stream(model, 100, 10);
    assert_rate(seen.counts.up.duplicated, 0.03, four_sigmas(0.03));
    assert_rate(seen.counts.up.corrupted, 0.01, four_sigmas(0.01));
    let copies = seen.counts.up.duplicated as usize;
    assert_eq!(seen.delays.len() + seen.damaged, COUNT as usize + copies);
    let of = |verdict| seen.verdicts.iter().filter(|found| **found == verdict).count();
    assert_eq!(of(Verdict::Duplicated), copies);
    assert_eq!(of(Verdict::Delivered) + of(Verdict::Corrupted) + copies, COUNT as usize);
}

/// A datagram that takes the detour of 15 ms is overtaken by those of the next 15 ms, and by no other.
#[test]
fn reordered_datagrams_are_as_frequent_as_they_should_be() {
    let detour = Reordering { probability: p(0.02), extra: ms(15) };
    let seen = stream(LinkModel { reordering: Some(detour), ..LinkModel::with_delay(ms(5)) }, 8, 10);
    assert_rate(seen.counts.up.reordered, 0.02, four_sigmas(0.02));
    let late = seen.delays.iter().filter(|(_, delay)| *delay == 20).count() as u64;
    assert_eq!(late, seen.counts.up.reordered);
    assert!(seen.delays.iter().all(|(_, delay)| [5, 20].contains(delay)));
    let mut greatest = 0;
    let overtaken = seen.delays.iter().filter(|(number, _)| {
        greatest = greatest.max(*number);
        *number < greatest
    });
    // All but those that were sent in the last 15 ms, with those after them late too.
    assert!(late - overtaken.count() as u64 <= 15);
}
