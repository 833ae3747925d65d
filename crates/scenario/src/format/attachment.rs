//! Where a host is attached to the network: `profile`, `link`, `nat`, `firewall`, `gateways`, `schedule` and
//! `address`, at a peer or in a handover.

use std::net::IpAddr;

use timeline::Name;

use super::{
    address::{self, Sites},
    error::Span,
    gateways::{self, GatewayRead},
    link::{LinkRead, ScheduleRead, take_link, take_schedule},
    profile::{ProfileRead, take_profile},
    reader::Table,
};
use crate::plan::{Access, Attachment, Schedule};

/// What a table says of an attachment, with what its profile says where it says nothing itself.
pub(super) struct AttachmentRead<'d> {
    pub(super) profile: Option<&'d ProfileRead>,
    link: LinkRead,
    schedule: Option<ScheduleRead>,
    gateways: Vec<GatewayRead>,
    pub(super) addresses: Option<(Vec<IpAddr>, Span)>,
}

pub(super) fn take_attachment<'d>(table: &Table<'d>) -> AttachmentRead<'d> {
    let profile = take_profile(table);
    let address_doc = "Its address, IPv4 or IPv6, or several. Default: 10.0.0.N for the N-th peer, \
         192.168.N.2 behind a NAT.";
    let addresses = address::take(table, address_doc);
    let link = take_link(table, profile.map_or(LinkRead::DEFAULT, |profile| profile.link));
    let own_schedule = take_schedule(table, link);
    let own_gateways = gateways::take_own(table);
    AttachmentRead {
        profile,
        link,
        schedule: own_schedule.or_else(|| profile.and_then(|profile| profile.schedule.clone())),
        gateways: own_gateways
            .unwrap_or_else(|| profile.map(|profile| profile.gateways.clone()).unwrap_or_default()),
        addresses,
    }
}

impl AttachmentRead<'_> {
    /// The link.
    pub(super) fn access(&self) -> Access {
        self.link.access()
    }

    /// How the link changes.
    pub(super) fn schedule(&self) -> Option<Schedule> {
        self.schedule.as_ref().map(|schedule| schedule.over(self.link))
    }

    /// The profile's name.
    pub(super) fn profile_name(&self) -> Option<String> {
        self.profile.map(|profile| profile.name.clone())
    }

    /// Its place: gateways of `host` alone, around it if it is there from the beginning, and addresses,
    /// `otherwise` where neither file nor private network gives one.
    pub(super) fn place(
        &self,
        host: &Name,
        sites: &mut Sites,
        is_start: bool,
        otherwise: impl FnOnce(&mut Sites) -> IpAddr,
    ) -> Attachment {
        let inside = if is_start { vec![host.clone()] } else { Vec::new() };
        let gateway = sites.add_chain(host, &self.gateways, inside);
        let is_private = self.gateways.iter().any(GatewayRead::translates);
        let addresses = match &self.addresses {
            Some((addresses, _)) => addresses.clone(),
            None if is_private => vec![sites.next_private()],
            None => vec![otherwise(sites)],
        };
        Attachment { addresses, access: self.access(), gateway }
    }
}
