use proptest::prelude::*;

use super::*;
use crate::testing;

fn ingredients() -> Ingredients {
    let scenarios = testing::plans().map(|plan| PlannedScenario::new(&plan, plan.name().to_owned(), 3_000));
    Ingredients {
        commit: Some("0123abc".to_owned()),
        program: Program { version: "0.1.0".to_owned(), hash: "f00d".to_owned() },
        seeds: SeedRange { first: 1, last: 100 },
        jobs: 1,
        dir: None,
        scenarios: scenarios.into(),
    }
}

fn parse(text: &str) -> Result<Campaign, CampaignError> {
    Campaign::parse(Path::new("x/campaign.json"), text)
}

#[test]
fn a_plan_is_read_as_it_was_written() {
    let campaign = Campaign::new(ingredients(), Sharding::Count(7));
    assert_eq!(parse(&campaign.to_json()).unwrap(), campaign);
    assert_eq!((campaign.shards(), campaign.runs()), (7, 200));
    assert_eq!(campaign.shard(7), None);
}

#[test]
fn minutes_make_as_many_shards_as_it_takes() {
    // 200 runs of 3 ms are 0.6 s: sixty shards of 0.01 s, or one of five minutes.
    let shards = |minutes| Campaign::new(ingredients(), Sharding::Minutes(minutes)).shards();
    assert_eq!((shards(0.01 / 60.0), shards(5.0)), (60, 1));
    assert_eq!((shards(f64::NAN), shards(0.0)), (1, 200));
}

#[test]
fn an_edited_plan_is_refused() {
    let text = Campaign::new(ingredients(), Sharding::Count(2)).to_json();
    let edited = |from: &str, to: &str| {
        assert!(text.contains(from), "{from} in {text}");
        parse(&text.replacen(from, to, 1)).unwrap_err().to_string()
    };
    for (from, to) in
        [("\"last\": 100", "\"last\": 101"), ("0123abc", "0123abd"), ("f00d", "f00e"), ("3000", "3001")]
    {
        let error = edited(from, to);
        assert!(error.contains("was edited"), "{error}");
    }
    let error = edited("\"schema\": 1", "\"schema\": 2");
    assert_eq!(error, "x/campaign.json has version 2, and this program reads version 1");
    assert!(edited("\"jobs\"", "\"jobz\"").contains("is no plan of a campaign: "));
    for (text, problem) in [("{}", "it has no `schema`"), ("nonsense", "expected ident"), ("", "EOF")] {
        let error = parse(text).unwrap_err().to_string();
        assert!(
            error.starts_with("x/campaign.json is no plan of a campaign: ") && error.contains(problem),
            "{error}"
        );
    }
}

/// Who edits the id as well has a plan of his own making: what no plan has is refused all the same.
#[test]
fn a_plan_that_makes_no_sense_is_refused() {
    let check = |change: &dyn Fn(&mut Campaign), expect: &str| {
        let mut campaign = Campaign::new(ingredients(), Sharding::Count(2));
        change(&mut campaign);
        campaign.id = campaign.digest();
        assert_eq!(
            parse(&campaign.to_json()).unwrap_err().to_string(),
            format!("x/campaign.json is no plan of a campaign: {expect}")
        );
    };
    check(&|plan| plan.shards[1].clear(), "a shard has nothing to play");
    check(&|plan| plan.shards.clear(), "a shard has nothing to play");
    let seeds = "a shard has seeds or scenarios that the plan has not";
    check(&|plan| plan.shards[0][0].scenario = 2, seeds);
    check(&|plan| plan.shards[0][0].first = 0, seeds);
    check(&|plan| plan.shards[0][0].last = 101, seeds);
    check(&|plan| plan.shards[0][0] = Piece { scenario: 0, first: 3, last: 2 }, seeds);
    let rates = |plan: &mut Campaign| {
        plan.scenarios[0].rates.insert(Outcome::Connected, [0.0, 1.5]);
    };
    check(&rates, "a rate is no number from 0 to 1");
}

#[test]
fn another_program_and_another_scenario_are_refused() {
    let campaign = Campaign::new(ingredients(), Sharding::Count(1));
    assert!(campaign.check_program("f00d").is_ok());
    let error = campaign.check_program("beef").unwrap_err().to_string();
    assert!(
        error.contains("its digest is beef, that of the plan f00d") && error.contains("commit 0123abc"),
        "{error}"
    );
    let check = |plans: Vec<Plan>, expect: Result<(), &str>| {
        let wanted = campaign.shard(0).unwrap();
        let found = campaign.check_scenarios(plans, wanted).map(drop).map_err(|error| error.to_string());
        assert_eq!(found, expect.map_err(str::to_owned));
    };
    let [well, ill] = testing::plans();
    check(vec![ill.clone(), well.clone()], Ok(()));
    check(vec![well.clone()], Err("the scenario test/ill of the plan is not here"));
    let other = ill.map_access(|access| access.up.delay = std::time::Duration::from_millis(77));
    check(
        vec![well, other],
        Err(
            "the scenario test/ill is not the one that was planned: it was changed since; plan anew, or take the change back",
        ),
    );
}

proptest! {
    #[test]
    fn a_mangled_plan_never_panics(at in 0usize..3_000, with in ".{0,8}") {
        let mut text = Campaign::new(ingredients(), Sharding::Count(3)).to_json();
        let at = at.min(text.len());
        if text.is_char_boundary(at) {
            let end = (at + with.len()).min(text.len());
            if text.is_char_boundary(end) {
                text.replace_range(at..end, &with);
            }
        }
        if let Ok(campaign) = parse(&text) {
            prop_assert_eq!(campaign.id.len(), 32);
        }
    }
}
