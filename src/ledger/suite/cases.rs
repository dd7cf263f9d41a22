//! The cases, each as a test of each ledger.

/// Each case as a test of each ledger.
macro_rules! cases {
    ($($module:ident :: $case:ident,)+) => {
        mod memory {
            $(
                #[tokio::test]
                async fn $case() {
                    super::super::$module::$case(&crate::memory::Memory::default()).await;
                }
            )+
        }
        mod postgres {
            $(
                #[tokio::test]
                async fn $case() {
                    let database = super::super::database::Database::new().await;
                    super::super::$module::$case(&database.ledger().await).await;
                }
            )+
        }
    };
}

cases! {
    commits::all_of_it_is_durable,
    commits::an_empty_commit_is_decided_too,
    commits::only_positions_move,
    commits::a_number_is_used_once,
    commits::two_at_once_and_one_wins,
    commits::explain_walks_the_chain,
    commits::pages_walk_a_mapping,
    guards::the_fence,
    guards::the_sync_version,
    guards::the_open_intents,
    guards::the_newest_entry,
    guards::a_link_that_is_not_there,
    guards::a_link_named_twice,
    guards::nothing_of_a_refused_commit_happens,
    names::keys_are_unique,
    names::keys_move_between_links,
    names::keys_stay_unless_they_changed,
    names::old_names_lead_to_links,
    names::claims_exclude_each_other,
    names::released_claims_are_free,
    batches::attempts_are_asserted,
    batches::a_settled_batch_stays_settled,
    batches::open_batches_carry_their_intents,
    batches::spent_batches_are_removed,
    batches::settled_batches_are_audited_once,
    hints::one_a_record,
    hints::what_is_known_of_a_deletion_stays,
    hints::taken_in_order_when_due,
    hints::done_only_with_the_number_taken,
    hints::an_arrival_wakes_what_waits_for_it,
    reviews::asked_once_a_base,
    reviews::shown_anew_and_closed_as_read,
    reviews::an_answer_is_for_what_was_seen,
    reviews::the_engine_finds_answers_and_questions,
    owners::one_at_a_time,
    owners::a_former_owner_is_fenced,
    owners::numbers_are_reserved_once,
    lost::a_commit_that_happened,
    lost::a_commit_that_never_will,
    people::lists_and_figures,
    people::counts_of_mappings_add_up,
    people::gaps_and_parked_records,
    deliveries::a_delivery_makes_hints_once,
    deliveries::what_may_come_once_comes_once,
    deliveries::every_verdict_is_kept,
    setup::mappings_have_numbers_and_revisions,
    setup::things_are_kept,
    setup::descriptions_are_replaced,
    setup::what_is_waited_for_is_replaced,
}
