//! Hosts that move, links that change on a schedule, and hosts without electricity.

use std::{sync::Arc, time::Duration};

use timeline::VirtualTime;

use super::{
    Event, Network,
    host::Interface,
    topology::{Hop, Realm},
};
use crate::{
    Attachment, Connections, Ending, Handover, HandoverError, Power, Schedule, Transition,
    config::is_host_address, effects::Effects, ids::HostIndex,
};

/// A step of a change that is under way.
#[derive(Debug)]
pub(super) enum Change {
    /// A host gets its new attachment, unless it has moved on since this many moves.
    Arrive(HostIndex, Box<Attachment>, Realm, u64),
    /// A host leaves its attachments but the newest.
    Leave(HostIndex, Connections, u64),
    /// A link does the next step of its schedule.
    Step(ScheduleStep),
}

/// Where a schedule is.
#[derive(Clone, Debug)]
pub(super) struct ScheduleStep {
    host: HostIndex,
    interface: u64,
    id: u64,
    schedule: Arc<Schedule>,
    next: usize,
    /// When this round began.
    began: VirtualTime,
}

impl Network {
    /// A host starts to move.
    pub(crate) fn handover(
        &mut self,
        now: VirtualTime,
        host: HostIndex,
        handover: &Handover,
        effects: &mut Effects,
    ) -> Result<(), HandoverError> {
        let realm = self.realm_of(&handover.to)?;
        self.check_addresses(host, realm, handover)?;
        let attachment = Box::new(handover.to.clone());
        self.hosts[host].moves += 1;
        let moves = self.hosts[host].moves;
        match handover.transition {
            Transition::Gap(gap) => {
                let interfaces = self.hosts[host].interfaces.len();
                self.leave(host, interfaces, handover.connections, effects);
                if gap.is_zero() {
                    self.arrive(host, &attachment, realm);
                } else {
                    let change = Change::Arrive(host, attachment, realm, moves);
                    self.events.plan(now + gap, Event::Change(Box::new(change)));
                }
            }
            Transition::Overlap(overlap) => {
                self.arrive(host, &attachment, realm);
                let newest = self.hosts[host].newest().number;
                let change = Change::Leave(host, handover.connections, newest);
                self.events.plan(now + overlap, Event::Change(Box::new(change)));
            }
        }
        Ok(())
    }

    fn realm_of(&self, attachment: &Attachment) -> Result<Realm, HandoverError> {
        let Some(gateway) = &attachment.gateway else { return Ok(Realm::CORE) };
        let unknown = || HandoverError::UnknownGateway { gateway: gateway.clone() };
        self.topology.gateway(gateway).map(Realm::inside).ok_or_else(unknown)
    }

    fn check_addresses(
        &self,
        host: HostIndex,
        realm: Realm,
        handover: &Handover,
    ) -> Result<(), HandoverError> {
        let name = || self.hosts[host].name.clone();
        if handover.to.addresses.is_empty() {
            return Err(HandoverError::NoAddress { host: name() });
        }
        for &address in &handover.to.addresses {
            if !is_host_address(address) {
                return Err(HandoverError::NotAHostAddress { host: name(), address });
            }
            let leaves_first = matches!(handover.transition, Transition::Gap(_));
            let is_own = self.hosts[host].owns(address);
            let taken = self.topology.hop(realm, address).filter(|hop| *hop != Hop::Host(host));
            if let Some(hop) = taken {
                return Err(HandoverError::AddressTaken { address, by: self.name_of(hop) });
            }
            if is_own && !leaves_first {
                return Err(HandoverError::AddressTaken { address, by: name() });
            }
        }
        Ok(())
    }

    fn name_of(&self, hop: Hop) -> timeline::Name {
        match hop {
            Hop::Host(host) => self.hosts[host].name.clone(),
            Hop::Translated(gateway) | Hop::Through(gateway) => self.topology.gateways[gateway].name.clone(),
        }
    }

    pub(super) fn change(&mut self, at: VirtualTime, change: Change, effects: &mut Effects) {
        match change {
            Change::Arrive(host, attachment, realm, moves) => {
                if self.hosts[host].moves == moves {
                    self.arrive(host, &attachment, realm);
                }
            }
            Change::Leave(host, connections, newest) => {
                let older = self.hosts[host].interfaces.iter().filter(|interface| interface.number < newest);
                let older = older.count();
                self.leave(host, older, connections, effects);
            }
            Change::Step(step) => self.schedule_step(at, step),
        }
    }

    /// A host gets a further attachment, with those of the addresses that nobody has taken in the meantime.
    fn arrive(&mut self, host: HostIndex, attachment: &Attachment, realm: Realm) {
        let is_free = |&address: &_| self.topology.add(realm, address, Hop::Host(host)).is_ok();
        let addresses = attachment.addresses.iter().copied().filter(is_free).collect();
        let state = &mut self.hosts[host];
        state.attach(&Attachment { addresses, ..attachment.clone() }, realm);
        state.drop_left_interfaces();
    }

    /// A host leaves its oldest attachments, so many.
    fn leave(&mut self, host: HostIndex, count: usize, connections: Connections, effects: &mut Effects) {
        let state = &mut self.hosts[host];
        let mut gone = Vec::new();
        for Interface { addresses, realm, .. } in &mut state.interfaces[..count] {
            for address in std::mem::take(addresses) {
                self.topology.remove(*realm, address, Hop::Host(host));
                gone.push(address);
            }
        }
        state.drop_left_interfaces();
        if connections == Connections::Reset {
            self.tcp_abort(host, |local| gone.contains(&local.ip()), effects);
        }
    }

    /// Starts a schedule on a host's newest attachment.
    pub(crate) fn start_schedule(&mut self, now: VirtualTime, host: HostIndex, schedule: &Schedule) {
        let mut schedule = schedule.clone();
        schedule.steps.sort_by_key(|(after, _)| *after);
        let interface = self.hosts[host].newest_mut();
        interface.schedule += 1;
        let (interface, id) = (interface.number, interface.schedule);
        let schedule = Arc::new(schedule);
        self.schedule_step(now, ScheduleStep { host, interface, id, schedule, next: 0, began: now });
    }

    /// Does what is due, and plans the rest.
    fn schedule_step(&mut self, at: VirtualTime, mut step: ScheduleStep) {
        let interfaces = &mut self.hosts[step.host].interfaces;
        let is_current =
            |interface: &&mut Interface| interface.number == step.interface && interface.schedule == step.id;
        let Some(interface) = interfaces.iter_mut().find(is_current) else { return };
        while let Some((after, access)) = step.schedule.steps.get(step.next)
            && step.began + *after <= at
        {
            interface.set_access(*access);
            step.next += 1;
        }
        if let Some(next_at) = step.next_at() {
            self.events.plan(next_at, Event::Change(Box::new(Change::Step(step))));
        }
    }

    /// Switches a host off or on.
    pub(crate) fn set_power(
        &mut self,
        now: VirtualTime,
        host: HostIndex,
        power: Power,
        effects: &mut Effects,
    ) {
        let state = &mut self.hosts[host];
        if power == Power::Off && state.is_on() {
            state.boots += 1;
            state.processing.forget();
            let inboxes = std::mem::take(&mut state.udp);
            effects.wakers.extend(inboxes.into_values().flat_map(|inbox| inbox.wakers));
            self.tcp_abort(host, |_| true, effects);
        }
        let was_off = !self.hosts[host].is_on();
        self.hosts[host].power = power;
        if power == Power::On && was_off {
            self.tcp_answer_unanswered(now, host);
        }
    }
}

impl ScheduleStep {
    /// When something happens next; moves on to the next round where this one is over.
    fn next_at(&mut self) -> Option<VirtualTime> {
        let next = self.schedule.steps.get(self.next).map(|(after, _)| *after);
        match self.schedule.ending {
            Ending::Stay => next.map(|after| self.began + after),
            Ending::RepeatEvery(period) => {
                let period = period.max(Duration::from_millis(1));
                if let Some(after) = next.filter(|after| *after < period) {
                    return Some(self.began + after);
                }
                let (first, _) = self.schedule.steps.first()?;
                self.began = self.began + period;
                self.next = 0;
                (*first < period).then(|| self.began + *first)
            }
        }
    }
}
