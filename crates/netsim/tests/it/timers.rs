//! Timers of the world: on time, one at a time, gone when they are dropped.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Waker},
    time::Duration,
};

use crate::world::{config, ms, perfect, run};

#[test]
fn a_timer_fires_at_its_time() {
    let outcome = run(config(1, perfect(ms(1))), |world| async move {
        world.sleep(ms(250)).await;
        let first = world.now();
        world.sleep_until(first).await;
        world.sleep(Duration::from_micros(1500)).await;
        (first.as_millis(), world.now().as_millis())
    });
    assert_eq!(outcome.value, Some((250, 252)));
}

/// Each timer sets off a chain of wake-ups; the next timer of the same instant comes after its end.
#[test]
fn timers_of_one_instant_are_released_one_by_one_in_the_order_in_which_they_were_set() {
    let outcome = run(config(1, perfect(ms(1))), |world| async move {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let tasks = [3, 1, 2].map(|number| {
            let (timer, seen) = (world.sleep(ms(10)), seen.clone());
            tokio::spawn(async move {
                timer.await;
                for step in 0..3 {
                    seen.lock().unwrap().push((number, step));
                    tokio::task::yield_now().await;
                }
            })
        });
        for task in tasks {
            task.await.unwrap();
        }
        seen.lock().unwrap().clone()
    });
    let expect: Vec<_> =
        [3, 1, 2].iter().flat_map(|&number| (0..3).map(move |step| (number, step))).collect();
    assert_eq!(outcome.value, Some(expect));
}

/// The one that was set first is released first, and there is nobody for it to wake: the clock must not jump for that.
#[test]
fn a_timer_that_nobody_waits_for_any_more_does_not_delay_the_next_one() {
    let outcome = run(config(1, perfect(ms(1))), |world| async move {
        let start = tokio::time::Instant::now();
        let mut first = std::pin::pin!(world.sleep(ms(10)));
        assert!(first.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        tokio::spawn(tokio::time::sleep(ms(50)));
        world.sleep(ms(10)).await;
        (world.now().as_millis(), start.elapsed())
    });
    assert_eq!(outcome.value, Some((10, ms(10))));
}

#[test]
fn a_dropped_timer_holds_nothing_up_and_wakes_nobody() {
    let outcome = run(config(1, perfect(ms(1))), |world| async move {
        let woken = Arc::new(AtomicUsize::new(0));
        let counted = woken.clone();
        let long = world.sleep(Duration::from_secs(3600));
        let task = tokio::spawn(async move {
            long.await;
            counted.fetch_add(1, Ordering::Relaxed);
        });
        world.sleep(ms(5)).await;
        task.abort();
        world.sleep(ms(5)).await;
        woken.load(Ordering::Relaxed)
    });
    assert_eq!(outcome.value, Some(0));
    assert_eq!(outcome.elapsed.as_millis(), 10);
}
