//! The merged design: with its fixes, and what is broken besides without one of them.

use super::Table;
use crate::property::Property::{H1, I1, I3, I4, I5, I6I7, I10, I11, I13, I15, I24, I25};

/// The merged design with its fixes.
pub(super) const CLONE: Table = &[
    (
        I11,
        "closer_closer_of_target heir_closes_in_transit closer_switched_off closer_switched_on \
         two_closers_arrival_accept owners_exhausted_half_open ack_closer ack_closer_of_target \
         syn_ack_closer ack_timer_closer ack_closer_accept_on_target shutdown_listen_again_ack \
         shutdown_listen_again_timer two_closers_ack_timer fast_two_closers_done_accept \
         lookup_slot_reused program_selects_closed ack_of_closed_closer_of_target",
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

/// As merged, besides.
pub(super) const CLONE_5_14: Table = &[
    (I1, "ack_timer_closer reset_timer_closer two_closers_ack_timer"),
    (I3, "ack_timer_closer reset_timer_closer two_closers_ack_timer"),
    (
        I4,
        "fast_syn_closer fast_closer_done fast_migrant_accept_done fast_migrant_accept_reset \
         fast_closer_done_accept fast_closer_then_target_done fast_two_closers_done_accept \
         fast_migrant_of_closed_accept_done",
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
        I13,
        "owners_exhausted_half_open ack_closer ack_ack ack_timer ack_reset timer_closer \
         timer_ack_of_closed ack_ack_of_closed timer_reset_of_closed timer_closer_of_target \
         ack_closer_of_target last_member_ack syn_ack_accept syn_ack_closer timer_twice_ack \
         ack_timer_closer reset_timer_closer ack_closer_accept_on_target \
         shutdown_listen_again_ack shutdown_listen_again_timer two_closers_ack_timer \
         ack_ack_of_two timer_close_of_target expiring_timer_ack_of_closed lookup_slot_reused \
         poll_ack poll_ack_of_closed ack_of_closed_closer_of_target ack_ack_last_place growth_syn \
         deferred_ack_data_poll",
    ),
    (I15, "ack_timer ack_timer_closer reset_timer_closer two_closers_ack_timer"),
    (I24, "lookup_slot_reused"),
    (
        I25,
        "ack_timer ack_timer_closer reset_timer_closer two_closers_ack_timer fast_syn_closer \
         fast_closer_done fast_migrant_accept_done fast_migrant_accept_reset \
         fast_closer_done_accept fast_closer_then_target_done fast_two_closers_done_accept \
         fast_migrant_of_closed_accept_done",
    ),
];

/// With the first posted fix of A1, besides.
pub(super) const CLONE_NAIVE_WAKE: Table = &[(
    I10,
    "two_closers closer_accept closer_closer_of_target closer_late_arrival_accept_on_target \
         heir_closes_in_transit last_heir_closes_in_transit closer_accept_accept_on_target \
         closer_arrival_two_acceptors two_closers_arrival_accept ring target_listens_again \
         ack_closer_of_target ack_closer_accept_on_target two_closers_ack_timer \
         fast_closer_done_accept fast_two_closers_done_accept lookup_slot_reused \
         program_selects_closed ack_of_closed_closer_of_target",
)];

/// Without A2, besides.
pub(super) const WITHOUT_A2: Table = &[
    (
        I4,
        "fast_syn_closer fast_closer_done fast_migrant_accept_done fast_migrant_accept_reset \
         fast_closer_done_accept fast_closer_then_target_done fast_two_closers_done_accept \
         fast_migrant_of_closed_accept_done",
    ),
    (
        I25,
        "fast_syn_closer fast_closer_done fast_migrant_accept_done fast_migrant_accept_reset \
         fast_closer_done_accept fast_closer_then_target_done fast_two_closers_done_accept \
         fast_migrant_of_closed_accept_done",
    ),
];

/// Without A3, besides.
pub(super) const WITHOUT_A3: Table = &[
    (I1, "ack_timer_closer reset_timer_closer two_closers_ack_timer"),
    (I3, "ack_timer_closer reset_timer_closer two_closers_ack_timer"),
    (I15, "ack_timer ack_timer_closer reset_timer_closer two_closers_ack_timer"),
    (I25, "ack_timer ack_timer_closer reset_timer_closer two_closers_ack_timer"),
];

/// Without A4, besides.
pub(super) const WITHOUT_A4: Table = &[
    (
        I1,
        "timer_ack_of_closed timer_reset_of_closed ack_timer_closer reset_timer_closer \
         two_closers_ack_timer expiring_timer_ack_of_closed",
    ),
    (I5, "timer_ack_of_closed expiring_timer_ack_of_closed"),
    (
        I6I7,
        "timer_ack_of_closed timer_reset_of_closed ack_timer_closer reset_timer_closer \
         two_closers_ack_timer expiring_timer_ack_of_closed",
    ),
    (
        I25,
        "timer_ack_of_closed timer_reset_of_closed ack_timer_closer reset_timer_closer \
         two_closers_ack_timer expiring_timer_ack_of_closed",
    ),
];

/// Without A5, besides.
pub(super) const WITHOUT_A5: Table =
    &[(I3, "expiring_timer_ack_of_closed"), (I25, "expiring_timer_ack_of_closed")];

/// Without A6, besides.
pub(super) const WITHOUT_A6: Table = &[(
    I15,
    "timer_ack_of_closed timer_reset_of_closed ack_timer_closer reset_timer_closer \
         two_closers_ack_timer",
)];

/// Without A7, besides.
pub(super) const WITHOUT_A7: Table = &[(I24, "lookup_slot_reused")];

/// Without B6, besides.
pub(super) const WITHOUT_B6: Table = &[(
    I13,
    "owners_exhausted_half_open ack_closer ack_ack ack_timer ack_reset timer_closer \
         timer_ack_of_closed ack_ack_of_closed timer_reset_of_closed timer_closer_of_target \
         ack_closer_of_target last_member_ack syn_ack_accept syn_ack_closer timer_twice_ack \
         ack_timer_closer reset_timer_closer ack_closer_accept_on_target \
         shutdown_listen_again_ack shutdown_listen_again_timer two_closers_ack_timer \
         ack_ack_of_two timer_close_of_target expiring_timer_ack_of_closed lookup_slot_reused \
         poll_ack poll_ack_of_closed ack_of_closed_closer_of_target ack_ack_last_place growth_syn \
         deferred_ack_data_poll",
)];
