//! The splices: all of a queue at once.

use super::Table;
use crate::property::Property::{H1, H2, I1, I3, I4, I5, I6I7, I9, I10, I11, I12, I13, I22, I25};

/// The first version.
pub(super) const SPLICE: Table = &[
    (I3, "ack_timer_closer reset_timer_closer two_closers_ack_timer"),
    (
        I5,
        "two_closers closer_accept closer_late_arrival closer_accept_on_target \
         closer_closer_of_target closer_late_arrival_accept_on_target heir_closes_in_transit \
         last_heir_closes_in_transit closer_two_arrivals closer_full_target \
         closer_accept_accept_on_target closer_switched_off closer_switched_on \
         closer_arrival_two_acceptors two_closers_arrival_accept shutdown_listen_again_arrival \
         ring target_listens_again shutdown_listen_again_accept owners_exhausted \
         owners_exhausted_half_open ack_closer syn_ack_closer ack_timer_closer \
         ack_closer_accept_on_target shutdown_listen_again_ack two_closers_ack_timer \
         fast_syn_closer fast_closer_done fast_migrant_accept_done fast_migrant_accept_reset \
         fast_closer_done_accept fast_closer_then_target_done fast_two_closers_done_accept \
         fast_migrant_of_closed_accept_done program_replaced_closer program_selects_closed",
    ),
    (
        I6I7,
        "fast_migrant_accept_done fast_migrant_accept_reset fast_closer_done_accept \
         fast_two_closers_done_accept fast_migrant_of_closed_accept_done",
    ),
    (
        I10,
        "two_closers closer_accept closer_late_arrival closer_accept_on_target \
         closer_closer_of_target closer_late_arrival_accept_on_target heir_closes_in_transit \
         last_heir_closes_in_transit closer_two_arrivals closer_full_target \
         closer_accept_accept_on_target closer_switched_off closer_switched_on \
         closer_arrival_two_acceptors two_closers_arrival_accept shutdown_listen_again_arrival \
         ring target_listens_again shutdown_listen_again_accept owners_exhausted \
         owners_exhausted_half_open ack_closer syn_ack_closer ack_timer_closer \
         ack_closer_accept_on_target shutdown_listen_again_ack two_closers_ack_timer \
         fast_syn_closer fast_closer_done fast_migrant_accept_done fast_migrant_accept_reset \
         fast_closer_done_accept fast_closer_then_target_done fast_two_closers_done_accept \
         fast_migrant_of_closed_accept_done program_replaced_closer program_selects_closed",
    ),
    (
        I11,
        "closer_late_arrival closer_late_arrival_accept_on_target closer_two_arrivals \
         closer_arrival_two_acceptors two_closers_arrival_accept shutdown_listen_again_arrival \
         owners_exhausted owners_exhausted_half_open ack_closer timer_closer \
         timer_ack_of_closed ack_ack_of_closed timer_reset_of_closed timer_closer_of_target \
         ack_closer_of_target syn_ack_closer ack_timer_closer reset_timer_closer \
         ack_closer_accept_on_target shutdown_listen_again_ack shutdown_listen_again_timer \
         two_closers_ack_timer fast_syn_closer timer_close_of_target \
         expiring_timer_ack_of_closed lookup_slot_reused poll_ack_of_closed \
         ack_of_closed_closer_of_target",
    ),
    (
        I12,
        "two_closers closer_late_arrival closer_accept_on_target closer_closer_of_target \
         closer_late_arrival_accept_on_target heir_closes_in_transit closer_two_arrivals \
         closer_full_target closer_arrival_two_acceptors two_closers_arrival_accept \
         shutdown_listen_again_arrival ring target_listens_again owners_exhausted",
    ),
    (
        I13,
        "owners_exhausted_half_open ack_closer ack_ack ack_timer ack_reset last_member_ack \
         syn_ack_accept syn_ack_closer timer_twice_ack ack_timer_closer \
         ack_closer_accept_on_target shutdown_listen_again_ack two_closers_ack_timer \
         ack_ack_of_two poll_ack ack_ack_last_place growth_syn deferred_ack_data_poll",
    ),
    (
        I22,
        "two_closers closer_closer_of_target heir_closes_in_transit last_heir_closes_in_transit \
         two_closers_arrival_accept ring target_listens_again timer_closer_of_target \
         ack_closer_of_target two_closers_half_open two_closers_ack_timer \
         fast_closer_then_target_done fast_two_closers_done_accept timer_close_of_target \
         lookup_slot_reused program_selects_closed growth_syn timer_of_closed_closer_of_target \
         ack_of_closed_closer_of_target",
    ),
    (
        I25,
        "ack_timer_closer reset_timer_closer two_closers_ack_timer fast_migrant_accept_done \
         fast_migrant_accept_reset fast_closer_done_accept fast_two_closers_done_accept \
         fast_migrant_of_closed_accept_done",
    ),
    (
        H1,
        "closer_late_arrival closer_late_arrival_accept_on_target closer_two_arrivals \
         closer_arrival_two_acceptors two_closers_arrival_accept shutdown_listen_again_arrival \
         ack_closer syn_ack_closer ack_timer_closer ack_closer_accept_on_target \
         shutdown_listen_again_ack two_closers_ack_timer fast_syn_closer",
    ),
    (
        H2,
        "two_closers closer_accept closer_late_arrival closer_accept_on_target \
         closer_closer_of_target closer_late_arrival_accept_on_target heir_closes_in_transit \
         last_heir_closes_in_transit closer_two_arrivals closer_full_target \
         closer_accept_accept_on_target closer_switched_off closer_switched_on \
         closer_arrival_two_acceptors two_closers_arrival_accept shutdown_listen_again_arrival \
         ring target_listens_again shutdown_listen_again_accept owners_exhausted \
         owners_exhausted_half_open syn_closer syn_closer_of_half_open ack_closer timer_closer \
         reset_closer timer_closer_of_target ack_closer_of_target two_closers_half_open \
         syn_ack_closer ack_timer_closer reset_timer_closer ack_closer_accept_on_target \
         shutdown_listen_again_ack shutdown_listen_again_timer two_closers_ack_timer \
         fast_syn_closer fast_closer_done fast_accepted_closer_done fast_accepted_closer_reset \
         fast_closer_reset_lists fast_shutdown_listen_again_done fast_closer_done_accept \
         fast_closer_then_target_done fast_two_closers_done_accept timer_close_of_target \
         lookup_slot_reused program_replaced_closer program_selects_closed poll_closer \
         ack_of_closed_closer_of_target timer_of_closed_closer_of_target",
    ),
];

/// The first version, with its fast-open patch.
pub(super) const SPLICE_TFO: Table = &[
    (I1, "fast_closer_reset_lists"),
    (I3, "ack_timer_closer reset_timer_closer two_closers_ack_timer"),
    (
        I4,
        "fast_syn_closer fast_closer_done fast_accepted_closer_done fast_accepted_closer_reset \
         fast_migrant_accept_done fast_migrant_accept_reset fast_shutdown_listen_again_done \
         fast_closer_done_accept fast_closer_then_target_done fast_two_closers_done_accept \
         fast_migrant_of_closed_accept_done",
    ),
    (
        I5,
        "two_closers closer_accept closer_late_arrival closer_accept_on_target \
         closer_closer_of_target closer_late_arrival_accept_on_target heir_closes_in_transit \
         last_heir_closes_in_transit closer_two_arrivals closer_full_target \
         closer_accept_accept_on_target closer_switched_off closer_switched_on \
         closer_arrival_two_acceptors two_closers_arrival_accept shutdown_listen_again_arrival \
         ring target_listens_again shutdown_listen_again_accept owners_exhausted \
         owners_exhausted_half_open ack_closer syn_ack_closer ack_timer_closer \
         ack_closer_accept_on_target shutdown_listen_again_ack two_closers_ack_timer \
         fast_syn_closer fast_closer_done fast_migrant_accept_done fast_migrant_accept_reset \
         fast_closer_done_accept fast_closer_then_target_done fast_two_closers_done_accept \
         fast_migrant_of_closed_accept_done program_replaced_closer program_selects_closed",
    ),
    (
        I6I7,
        "fast_migrant_accept_done fast_migrant_accept_reset fast_closer_done_accept \
         fast_two_closers_done_accept fast_migrant_of_closed_accept_done",
    ),
    (
        I10,
        "two_closers closer_accept closer_late_arrival closer_accept_on_target \
         closer_closer_of_target closer_late_arrival_accept_on_target heir_closes_in_transit \
         last_heir_closes_in_transit closer_two_arrivals closer_full_target \
         closer_accept_accept_on_target closer_switched_off closer_switched_on \
         closer_arrival_two_acceptors two_closers_arrival_accept shutdown_listen_again_arrival \
         ring target_listens_again shutdown_listen_again_accept owners_exhausted \
         owners_exhausted_half_open ack_closer syn_ack_closer ack_timer_closer \
         ack_closer_accept_on_target shutdown_listen_again_ack two_closers_ack_timer \
         fast_syn_closer fast_closer_done fast_migrant_accept_done fast_migrant_accept_reset \
         fast_closer_done_accept fast_closer_then_target_done fast_two_closers_done_accept \
         fast_migrant_of_closed_accept_done program_replaced_closer program_selects_closed",
    ),
    (
        I11,
        "closer_late_arrival closer_late_arrival_accept_on_target closer_two_arrivals \
         closer_arrival_two_acceptors two_closers_arrival_accept shutdown_listen_again_arrival \
         owners_exhausted owners_exhausted_half_open ack_closer timer_closer \
         timer_ack_of_closed ack_ack_of_closed timer_reset_of_closed timer_closer_of_target \
         ack_closer_of_target syn_ack_closer ack_timer_closer reset_timer_closer \
         ack_closer_accept_on_target shutdown_listen_again_ack shutdown_listen_again_timer \
         two_closers_ack_timer fast_syn_closer timer_close_of_target \
         expiring_timer_ack_of_closed lookup_slot_reused poll_ack_of_closed \
         ack_of_closed_closer_of_target",
    ),
    (
        I12,
        "two_closers closer_late_arrival closer_accept_on_target closer_closer_of_target \
         closer_late_arrival_accept_on_target heir_closes_in_transit closer_two_arrivals \
         closer_full_target closer_arrival_two_acceptors two_closers_arrival_accept \
         shutdown_listen_again_arrival ring target_listens_again owners_exhausted",
    ),
    (
        I13,
        "owners_exhausted_half_open ack_closer ack_ack ack_timer ack_reset last_member_ack \
         syn_ack_accept syn_ack_closer timer_twice_ack ack_timer_closer \
         ack_closer_accept_on_target shutdown_listen_again_ack two_closers_ack_timer \
         ack_ack_of_two poll_ack ack_ack_last_place growth_syn deferred_ack_data_poll",
    ),
    (
        I22,
        "two_closers closer_closer_of_target heir_closes_in_transit last_heir_closes_in_transit \
         two_closers_arrival_accept ring target_listens_again timer_closer_of_target \
         ack_closer_of_target two_closers_half_open two_closers_ack_timer \
         fast_closer_then_target_done fast_two_closers_done_accept timer_close_of_target \
         lookup_slot_reused program_selects_closed growth_syn timer_of_closed_closer_of_target \
         ack_of_closed_closer_of_target",
    ),
    (
        I25,
        "ack_timer_closer reset_timer_closer two_closers_ack_timer fast_syn_closer \
         fast_closer_done fast_accepted_closer_done fast_accepted_closer_reset \
         fast_migrant_accept_done fast_migrant_accept_reset fast_shutdown_listen_again_done \
         fast_closer_done_accept fast_closer_then_target_done fast_two_closers_done_accept \
         fast_migrant_of_closed_accept_done",
    ),
    (
        H1,
        "closer_late_arrival closer_late_arrival_accept_on_target closer_two_arrivals \
         closer_arrival_two_acceptors two_closers_arrival_accept shutdown_listen_again_arrival \
         ack_closer syn_ack_closer ack_timer_closer ack_closer_accept_on_target \
         shutdown_listen_again_ack two_closers_ack_timer fast_syn_closer",
    ),
    (
        H2,
        "two_closers closer_accept closer_late_arrival closer_accept_on_target \
         closer_closer_of_target closer_late_arrival_accept_on_target heir_closes_in_transit \
         last_heir_closes_in_transit closer_two_arrivals closer_full_target \
         closer_accept_accept_on_target closer_switched_off closer_switched_on \
         closer_arrival_two_acceptors two_closers_arrival_accept shutdown_listen_again_arrival \
         ring target_listens_again shutdown_listen_again_accept owners_exhausted \
         owners_exhausted_half_open syn_closer syn_closer_of_half_open ack_closer timer_closer \
         reset_closer timer_closer_of_target ack_closer_of_target two_closers_half_open \
         syn_ack_closer ack_timer_closer reset_timer_closer ack_closer_accept_on_target \
         shutdown_listen_again_ack shutdown_listen_again_timer two_closers_ack_timer \
         fast_syn_closer fast_closer_done fast_accepted_closer_done fast_accepted_closer_reset \
         fast_closer_reset_lists fast_shutdown_listen_again_done fast_closer_done_accept \
         fast_closer_then_target_done fast_two_closers_done_accept timer_close_of_target \
         lookup_slot_reused program_replaced_closer program_selects_closed poll_closer \
         ack_of_closed_closer_of_target timer_of_closed_closer_of_target",
    ),
];

/// The second version.
pub(super) const SPLICE_NESTED: Table = &[
    (I1, "fast_closer_reset_lists"),
    (
        I3,
        "timer_ack_of_closed ack_ack_of_closed timer_reset_of_closed ack_timer_closer \
         reset_timer_closer two_closers_ack_timer timer_close_of_target \
         expiring_timer_ack_of_closed lookup_slot_reused",
    ),
    (
        I4,
        "fast_syn_closer fast_closer_done fast_accepted_closer_done fast_accepted_closer_reset \
         fast_migrant_accept_done fast_migrant_accept_reset fast_shutdown_listen_again_done \
         fast_closer_done_accept fast_closer_then_target_done fast_two_closers_done_accept \
         fast_migrant_of_closed_accept_done",
    ),
    (
        I5,
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
        I6I7,
        "timer_ack_of_closed ack_ack_of_closed timer_reset_of_closed ack_timer_closer \
         two_closers_ack_timer fast_migrant_accept_done fast_migrant_accept_reset \
         fast_closer_done_accept fast_two_closers_done_accept timer_close_of_target \
         expiring_timer_ack_of_closed lookup_slot_reused fast_migrant_of_closed_accept_done",
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
        "closer_late_arrival closer_late_arrival_accept_on_target closer_two_arrivals \
         closer_arrival_two_acceptors two_closers_arrival_accept shutdown_listen_again_arrival \
         owners_exhausted owners_exhausted_half_open ack_closer timer_ack_of_closed \
         ack_closer_of_target syn_ack_closer ack_timer_closer ack_closer_accept_on_target \
         shutdown_listen_again_ack shutdown_listen_again_timer two_closers_ack_timer \
         fast_syn_closer timer_close_of_target expiring_timer_ack_of_closed lookup_slot_reused \
         ack_of_closed_closer_of_target",
    ),
    (
        I12,
        "two_closers closer_late_arrival closer_accept_on_target closer_closer_of_target \
         closer_late_arrival_accept_on_target heir_closes_in_transit closer_two_arrivals \
         closer_full_target closer_arrival_two_acceptors two_closers_arrival_accept \
         shutdown_listen_again_arrival ring target_listens_again owners_exhausted",
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
         reset_timer_closer two_closers_ack_timer fast_closer_done \
         fast_accepted_closer_done fast_accepted_closer_reset fast_migrant_accept_done \
         fast_migrant_accept_reset fast_shutdown_listen_again_done fast_closer_done_accept \
         fast_closer_then_target_done fast_two_closers_done_accept timer_close_of_target \
         expiring_timer_ack_of_closed lookup_slot_reused fast_migrant_of_closed_accept_done",
    ),
    (
        H1,
        "closer_late_arrival closer_late_arrival_accept_on_target closer_two_arrivals \
         closer_arrival_two_acceptors two_closers_arrival_accept shutdown_listen_again_arrival \
         ack_closer ack_closer_of_target syn_ack_closer ack_timer_closer \
         ack_closer_accept_on_target shutdown_listen_again_ack two_closers_ack_timer \
         fast_syn_closer lookup_slot_reused ack_of_closed_closer_of_target",
    ),
    (
        H2,
        "two_closers closer_accept closer_late_arrival closer_accept_on_target \
         closer_closer_of_target closer_late_arrival_accept_on_target heir_closes_in_transit \
         last_heir_closes_in_transit closer_two_arrivals closer_full_target \
         closer_accept_accept_on_target closer_switched_off closer_switched_on \
         closer_arrival_two_acceptors two_closers_arrival_accept shutdown_listen_again_arrival \
         ring target_listens_again shutdown_listen_again_accept owners_exhausted \
         owners_exhausted_half_open syn_closer syn_closer_of_half_open ack_closer timer_closer \
         reset_closer timer_closer_of_target ack_closer_of_target two_closers_half_open \
         syn_ack_closer ack_timer_closer reset_timer_closer ack_closer_accept_on_target \
         shutdown_listen_again_ack shutdown_listen_again_timer two_closers_ack_timer \
         fast_syn_closer fast_closer_done fast_accepted_closer_done fast_accepted_closer_reset \
         fast_closer_reset_lists fast_shutdown_listen_again_done fast_closer_done_accept \
         fast_closer_then_target_done fast_two_closers_done_accept timer_close_of_target \
         lookup_slot_reused program_replaced_closer program_selects_closed poll_closer \
         ack_of_closed_closer_of_target timer_of_closed_closer_of_target",
    ),
];

/// The seven steps.
pub(super) const RELABEL: Table = &[
    (I3, "ack_timer_closer reset_timer_closer two_closers_ack_timer"),
    (
        I4,
        "fast_syn_closer fast_closer_done fast_migrant_accept_done fast_migrant_accept_reset \
         fast_closer_done_accept fast_closer_then_target_done fast_two_closers_done_accept \
         fast_migrant_of_closed_accept_done",
    ),
    (I5, "heir_closes_in_transit target_listens_again"),
    (
        I6I7,
        "heir_closes_in_transit target_listens_again fast_closer_done fast_closer_done_accept \
         fast_two_closers_done_accept",
    ),
    (
        I9,
        "two_closers closer_closer_of_target heir_closes_in_transit last_heir_closes_in_transit \
         two_closers_arrival_accept target_listens_again two_closers_ack_timer \
         fast_two_closers_done_accept program_selects_closed",
    ),
    (
        I10,
        "two_closers closer_accept closer_late_arrival closer_accept_on_target \
         closer_closer_of_target closer_late_arrival_accept_on_target heir_closes_in_transit \
         last_heir_closes_in_transit closer_two_arrivals closer_full_target \
         closer_accept_accept_on_target closer_switched_off closer_switched_on \
         closer_arrival_two_acceptors two_closers_arrival_accept shutdown_listen_again_arrival \
         ring target_listens_again shutdown_listen_again_accept owners_exhausted \
         owners_exhausted_half_open ack_closer syn_ack_closer ack_timer_closer \
         ack_closer_accept_on_target shutdown_listen_again_ack two_closers_ack_timer \
         fast_syn_closer fast_closer_done fast_migrant_accept_done fast_migrant_accept_reset \
         fast_closer_done_accept fast_closer_then_target_done fast_two_closers_done_accept \
         fast_migrant_of_closed_accept_done program_replaced_closer program_selects_closed",
    ),
    (
        I11,
        "closer_late_arrival closer_closer_of_target closer_late_arrival_accept_on_target \
         heir_closes_in_transit closer_two_arrivals closer_arrival_two_acceptors \
         two_closers_arrival_accept shutdown_listen_again_arrival owners_exhausted \
         owners_exhausted_half_open ack_closer timer_closer timer_ack_of_closed \
         ack_ack_of_closed timer_reset_of_closed timer_closer_of_target ack_closer_of_target \
         syn_ack_closer ack_timer_closer reset_timer_closer ack_closer_accept_on_target \
         shutdown_listen_again_ack shutdown_listen_again_timer two_closers_ack_timer \
         fast_syn_closer fast_two_closers_done_accept timer_close_of_target \
         expiring_timer_ack_of_closed lookup_slot_reused program_selects_closed \
         poll_ack_of_closed ack_of_closed_closer_of_target",
    ),
    (
        I12,
        "two_closers closer_late_arrival closer_accept_on_target closer_closer_of_target \
         closer_late_arrival_accept_on_target heir_closes_in_transit closer_two_arrivals \
         closer_full_target closer_arrival_two_acceptors two_closers_arrival_accept \
         shutdown_listen_again_arrival ring target_listens_again owners_exhausted",
    ),
    (
        I13,
        "owners_exhausted_half_open ack_closer ack_ack ack_timer ack_reset last_member_ack \
         syn_ack_accept syn_ack_closer timer_twice_ack ack_timer_closer \
         ack_closer_accept_on_target shutdown_listen_again_ack two_closers_ack_timer \
         ack_ack_of_two poll_ack ack_ack_last_place growth_syn deferred_ack_data_poll",
    ),
    (
        I25,
        "two_closers closer_closer_of_target heir_closes_in_transit last_heir_closes_in_transit \
         two_closers_arrival_accept target_listens_again ack_timer_closer reset_timer_closer \
         two_closers_ack_timer fast_syn_closer fast_closer_done fast_migrant_accept_done \
         fast_migrant_accept_reset fast_closer_done_accept fast_closer_then_target_done \
         fast_two_closers_done_accept fast_migrant_of_closed_accept_done program_selects_closed",
    ),
    (
        H1,
        "closer_late_arrival closer_closer_of_target closer_late_arrival_accept_on_target \
         heir_closes_in_transit closer_two_arrivals closer_arrival_two_acceptors \
         two_closers_arrival_accept shutdown_listen_again_arrival ack_closer syn_ack_closer \
         ack_timer_closer ack_closer_accept_on_target shutdown_listen_again_ack \
         two_closers_ack_timer fast_syn_closer fast_two_closers_done_accept \
         program_selects_closed",
    ),
];
