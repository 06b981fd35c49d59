//! What deals with connections one by one, but for clones.

use super::Table;
use crate::property::Property::{H1, I3, I4, I5, I6I7, I10, I11, I13, I25};

/// The baseline.
pub(super) const ABORT: Table = &[
    (
        I11,
        "closer_accept closer_late_arrival closer_accept_on_target closer_closer_of_target \
         closer_late_arrival_accept_on_target heir_closes_in_transit closer_two_arrivals \
         closer_full_target closer_accept_accept_on_target closer_switched_off closer_switched_on \
         closer_arrival_two_acceptors two_closers_arrival_accept shutdown_listen_again_arrival \
         shutdown_listen_again_accept owners_exhausted owners_exhausted_half_open ack_closer \
         timer_closer timer_ack_of_closed ack_ack_of_closed timer_reset_of_closed \
         timer_closer_of_target ack_closer_of_target syn_ack_closer ack_timer_closer \
         reset_timer_closer ack_closer_accept_on_target shutdown_listen_again_ack \
         shutdown_listen_again_timer two_closers_ack_timer fast_syn_closer fast_closer_done \
         fast_migrant_accept_done fast_migrant_accept_reset fast_closer_done_accept \
         fast_closer_then_target_done fast_two_closers_done_accept timer_close_of_target \
         expiring_timer_ack_of_closed lookup_slot_reused fast_migrant_of_closed_accept_done \
         program_replaced_closer program_selects_closed poll_closer poll_ack_of_closed \
         ack_of_closed_closer_of_target timer_of_closed_closer_of_target poll_poll_of_closed",
    ),
    (
        H1,
        "closer_accept closer_late_arrival closer_accept_on_target closer_closer_of_target \
         closer_late_arrival_accept_on_target heir_closes_in_transit closer_two_arrivals \
         closer_full_target closer_accept_accept_on_target closer_switched_off closer_switched_on \
         closer_arrival_two_acceptors two_closers_arrival_accept shutdown_listen_again_arrival \
         shutdown_listen_again_accept ack_closer syn_ack_closer ack_timer_closer \
         ack_closer_accept_on_target shutdown_listen_again_ack two_closers_ack_timer \
         fast_syn_closer fast_closer_done fast_migrant_accept_done fast_migrant_accept_reset \
         fast_closer_done_accept fast_closer_then_target_done fast_two_closers_done_accept \
         fast_migrant_of_closed_accept_done program_replaced_closer program_selects_closed",
    ),
];

/// The first version's patch for half-open requests.
pub(super) const IN_PLACE: Table = &[
    (
        I3,
        "timer_ack_of_closed ack_ack_of_closed timer_reset_of_closed ack_timer_closer \
         reset_timer_closer two_closers_ack_timer timer_close_of_target \
         expiring_timer_ack_of_closed lookup_slot_reused",
    ),
    (I5, "ack_timer_closer two_closers_ack_timer"),
    (
        I6I7,
        "timer_ack_of_closed ack_ack_of_closed timer_reset_of_closed ack_timer_closer \
         two_closers_ack_timer timer_close_of_target expiring_timer_ack_of_closed \
         lookup_slot_reused",
    ),
    (
        I11,
        "closer_accept closer_late_arrival closer_accept_on_target closer_closer_of_target \
         closer_late_arrival_accept_on_target heir_closes_in_transit closer_two_arrivals \
         closer_full_target closer_accept_accept_on_target closer_switched_off closer_switched_on \
         closer_arrival_two_acceptors two_closers_arrival_accept shutdown_listen_again_arrival \
         shutdown_listen_again_accept owners_exhausted owners_exhausted_half_open ack_closer \
         timer_ack_of_closed ack_closer_of_target syn_ack_closer ack_timer_closer \
         ack_closer_accept_on_target shutdown_listen_again_ack shutdown_listen_again_timer \
         two_closers_ack_timer fast_syn_closer fast_closer_done fast_migrant_accept_done \
         fast_migrant_accept_reset fast_closer_done_accept fast_closer_then_target_done \
         fast_two_closers_done_accept timer_close_of_target expiring_timer_ack_of_closed \
         lookup_slot_reused fast_migrant_of_closed_accept_done program_replaced_closer \
         program_selects_closed ack_of_closed_closer_of_target",
    ),
    (
        I13,
        "owners_exhausted_half_open ack_closer ack_ack ack_timer ack_reset timer_ack_of_closed \
         ack_ack_of_closed ack_closer_of_target last_member_ack syn_ack_accept syn_ack_closer \
         timer_twice_ack ack_timer_closer ack_closer_accept_on_target shutdown_listen_again_ack \
         two_closers_ack_timer ack_ack_of_two expiring_timer_ack_of_closed lookup_slot_reused \
         poll_ack poll_ack_of_closed ack_of_closed_closer_of_target ack_ack_last_place growth_syn \
         deferred_ack_data_poll",
    ),
    (
        I25,
        "timer_ack_of_closed ack_ack_of_closed timer_reset_of_closed ack_timer_closer \
         reset_timer_closer two_closers_ack_timer timer_close_of_target \
         expiring_timer_ack_of_closed lookup_slot_reused",
    ),
    (
        H1,
        "closer_accept closer_late_arrival closer_accept_on_target closer_closer_of_target \
         closer_late_arrival_accept_on_target heir_closes_in_transit closer_two_arrivals \
         closer_full_target closer_accept_accept_on_target closer_switched_off closer_switched_on \
         closer_arrival_two_acceptors two_closers_arrival_accept shutdown_listen_again_arrival \
         shutdown_listen_again_accept ack_closer ack_closer_of_target syn_ack_closer \
         ack_timer_closer ack_closer_accept_on_target shutdown_listen_again_ack \
         two_closers_ack_timer fast_syn_closer fast_closer_done fast_migrant_accept_done \
         fast_migrant_accept_reset fast_closer_done_accept fast_closer_then_target_done \
         fast_two_closers_done_accept lookup_slot_reused fast_migrant_of_closed_accept_done \
         program_replaced_closer program_selects_closed ack_of_closed_closer_of_target",
    ),
];

/// The prototype.
pub(super) const REQUEUE_NAIVE: Table = &[
    (
        I3,
        "two_closers closer_accept closer_late_arrival closer_accept_on_target \
         closer_closer_of_target closer_late_arrival_accept_on_target heir_closes_in_transit \
         last_heir_closes_in_transit closer_two_arrivals closer_full_target \
         closer_accept_accept_on_target closer_switched_off closer_switched_on \
         closer_arrival_two_acceptors two_closers_arrival_accept shutdown_listen_again_arrival \
         ring target_listens_again shutdown_listen_again_accept owners_exhausted \
         owners_exhausted_half_open ack_closer timer_ack_of_closed ack_ack_of_closed \
         timer_reset_of_closed ack_closer_of_target syn_ack_closer ack_timer_closer \
         reset_timer_closer ack_closer_accept_on_target shutdown_listen_again_ack \
         two_closers_ack_timer fast_syn_closer fast_closer_done fast_migrant_accept_done \
         fast_migrant_accept_reset fast_closer_done_accept fast_closer_then_target_done \
         fast_two_closers_done_accept timer_close_of_target expiring_timer_ack_of_closed \
         lookup_slot_reused fast_migrant_of_closed_accept_done program_replaced_closer \
         program_selects_closed ack_of_closed_closer_of_target",
    ),
    (
        I4,
        "fast_syn_closer fast_closer_done fast_migrant_accept_done fast_migrant_accept_reset \
         fast_closer_done_accept fast_closer_then_target_done fast_two_closers_done_accept \
         fast_migrant_of_closed_accept_done",
    ),
    (I5, "ack_timer_closer two_closers_ack_timer lookup_slot_reused"),
    (
        I6I7,
        "timer_ack_of_closed ack_ack_of_closed timer_reset_of_closed ack_timer_closer \
         two_closers_ack_timer fast_closer_done fast_closer_done_accept \
         fast_two_closers_done_accept timer_close_of_target expiring_timer_ack_of_closed \
         lookup_slot_reused",
    ),
    (
        I10,
        "two_closers closer_accept closer_late_arrival closer_accept_on_target \
         closer_closer_of_target closer_late_arrival_accept_on_target heir_closes_in_transit \
         last_heir_closes_in_transit closer_two_arrivals closer_full_target \
         closer_accept_accept_on_target closer_switched_off closer_switched_on \
         closer_arrival_two_acceptors two_closers_arrival_accept shutdown_listen_again_arrival \
         ring target_listens_again shutdown_listen_again_accept owners_exhausted \
         owners_exhausted_half_open ack_closer ack_closer_of_target syn_ack_closer \
         ack_timer_closer ack_closer_accept_on_target shutdown_listen_again_ack \
         two_closers_ack_timer fast_syn_closer fast_closer_done fast_migrant_accept_done \
         fast_migrant_accept_reset fast_closer_done_accept fast_closer_then_target_done \
         fast_two_closers_done_accept lookup_slot_reused fast_migrant_of_closed_accept_done \
         program_replaced_closer program_selects_closed ack_of_closed_closer_of_target",
    ),
    (
        I11,
        "closer_closer_of_target heir_closes_in_transit two_closers_arrival_accept \
         owners_exhausted_half_open ack_closer timer_ack_of_closed ack_closer_of_target \
         syn_ack_closer ack_timer_closer ack_closer_accept_on_target shutdown_listen_again_ack \
         shutdown_listen_again_timer two_closers_ack_timer fast_two_closers_done_accept \
         timer_close_of_target expiring_timer_ack_of_closed lookup_slot_reused \
         program_selects_closed ack_of_closed_closer_of_target",
    ),
    (
        I13,
        "owners_exhausted_half_open ack_closer ack_ack ack_timer ack_reset timer_ack_of_closed \
         ack_ack_of_closed ack_closer_of_target last_member_ack syn_ack_accept syn_ack_closer \
         timer_twice_ack ack_timer_closer ack_closer_accept_on_target shutdown_listen_again_ack \
         two_closers_ack_timer ack_ack_of_two expiring_timer_ack_of_closed lookup_slot_reused \
         poll_ack poll_ack_of_closed ack_of_closed_closer_of_target ack_ack_last_place growth_syn \
         deferred_ack_data_poll",
    ),
    (
        I25,
        "two_closers closer_accept closer_late_arrival closer_accept_on_target \
         closer_closer_of_target closer_late_arrival_accept_on_target heir_closes_in_transit \
         last_heir_closes_in_transit closer_two_arrivals closer_full_target \
         closer_accept_accept_on_target closer_switched_off closer_switched_on \
         closer_arrival_two_acceptors two_closers_arrival_accept shutdown_listen_again_arrival \
         ring target_listens_again shutdown_listen_again_accept owners_exhausted \
         owners_exhausted_half_open ack_closer timer_ack_of_closed ack_ack_of_closed \
         timer_reset_of_closed ack_closer_of_target syn_ack_closer ack_timer_closer \
         reset_timer_closer ack_closer_accept_on_target shutdown_listen_again_ack \
         two_closers_ack_timer fast_syn_closer fast_closer_done fast_migrant_accept_done \
         fast_migrant_accept_reset fast_closer_done_accept fast_closer_then_target_done \
         fast_two_closers_done_accept timer_close_of_target expiring_timer_ack_of_closed \
         lookup_slot_reused fast_migrant_of_closed_accept_done program_replaced_closer \
         program_selects_closed ack_of_closed_closer_of_target",
    ),
    (
        H1,
        "closer_accept closer_late_arrival closer_accept_on_target closer_closer_of_target \
         closer_late_arrival_accept_on_target heir_closes_in_transit closer_two_arrivals \
         closer_full_target closer_accept_accept_on_target closer_switched_off closer_switched_on \
         closer_arrival_two_acceptors two_closers_arrival_accept shutdown_listen_again_arrival \
         shutdown_listen_again_accept ack_closer ack_closer_of_target syn_ack_closer \
         ack_timer_closer ack_closer_accept_on_target shutdown_listen_again_ack \
         two_closers_ack_timer fast_syn_closer fast_closer_done fast_migrant_accept_done \
         fast_migrant_accept_reset fast_closer_done_accept fast_closer_then_target_done \
         fast_two_closers_done_accept lookup_slot_reused fast_migrant_of_closed_accept_done \
         program_replaced_closer program_selects_closed ack_of_closed_closer_of_target",
    ),
];

/// Ours, spread.
pub(super) const REQUEUE: Table = &[(
    H1,
    "closer_accept closer_late_arrival closer_accept_on_target closer_closer_of_target \
         closer_late_arrival_accept_on_target heir_closes_in_transit closer_two_arrivals \
         closer_full_target closer_accept_accept_on_target closer_switched_off closer_switched_on \
         closer_arrival_two_acceptors two_closers_arrival_accept shutdown_listen_again_arrival \
         shutdown_listen_again_accept ack_closer ack_closer_of_target syn_ack_closer \
         ack_timer_closer ack_closer_accept_on_target shutdown_listen_again_ack \
         two_closers_ack_timer fast_syn_closer fast_closer_done fast_migrant_accept_done \
         fast_migrant_accept_reset fast_closer_done_accept fast_closer_then_target_done \
         fast_two_closers_done_accept lookup_slot_reused fast_migrant_of_closed_accept_done \
         program_replaced_closer program_selects_closed ack_of_closed_closer_of_target",
)];

/// Ours, by Linux's rules: who closes while migration is switched off, or before it is switched on, gives up
/// what it has.
pub(super) const LINUX: Table = &[
    (I11, "closer_switched_off closer_switched_on"),
    (
        H1,
        "closer_accept closer_late_arrival closer_accept_on_target closer_closer_of_target \
         closer_late_arrival_accept_on_target heir_closes_in_transit closer_two_arrivals \
         closer_full_target closer_accept_accept_on_target closer_switched_off closer_switched_on \
         closer_arrival_two_acceptors two_closers_arrival_accept shutdown_listen_again_arrival \
         shutdown_listen_again_accept ack_closer ack_closer_of_target syn_ack_closer \
         ack_timer_closer ack_closer_accept_on_target shutdown_listen_again_ack \
         two_closers_ack_timer fast_syn_closer fast_closer_done fast_migrant_accept_done \
         fast_migrant_accept_reset fast_closer_done_accept fast_closer_then_target_done \
         fast_two_closers_done_accept lookup_slot_reused fast_migrant_of_closed_accept_done \
         program_replaced_closer program_selects_closed ack_of_closed_closer_of_target",
    ),
];

/// Ours, whole.
pub(super) const HANDOVER: Table = &[];
