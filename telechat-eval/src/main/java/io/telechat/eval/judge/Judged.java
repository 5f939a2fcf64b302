// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.judge;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Optional;

/**
 * What has come of a dialog, as far as it is counted.
 *
 * @param score 0 to 100; of a comparison 1 for won, 0 for lost, 0.5 for neither; empty if there is no verdict
 * @param unread replies of the judge that could not be read
 * @param failure why there is no verdict
 * @param comparison empty where there was nothing to compare with
 */
record Judged(Optional<Double> score, int unread, Optional<String> failure, Optional<Comparison> comparison) {
    /**
     * How two verdicts, the second one with the answers in the other order, go together.
     *
     * @param consistent whether both say the same
     * @param decided how many of the two are no ties
     * @param firstShown how many of those prefer the answer that was shown first
     * @param longer whether the longer answer has won; empty if none has, or both are as long
     */
    record Comparison(boolean consistent, int decided, int firstShown, Optional<Boolean> longer) {
        static Comparison of(Choice first, Choice swapped, List<String> answers, List<String> others) {
            Choice agreed = agreed(first, swapped);
            int more = Integer.compare(length(answers), length(others));
            return new Comparison(
                    first == mirrored(swapped),
                    (first == Choice.TIE ? 0 : 1) + (swapped == Choice.TIE ? 0 : 1),
                    (first == Choice.A ? 1 : 0) + (swapped == Choice.A ? 1 : 0),
                    agreed == Choice.TIE || more == 0
                            ? Optional.empty()
                            : Optional.of((agreed == Choice.A) == (more > 0)));
        }

        private static int length(List<String> answers) {
            return answers.stream()
                    .mapToInt(a -> a.codePointCount(0, a.length()))
                    .sum();
        }
    }

    /** The same verdict on the answers in the other order. */
    private static Choice mirrored(Choice choice) {
        return switch (choice) {
            case A -> Choice.B;
            case B -> Choice.A;
            case TIE -> Choice.TIE;
        };
    }

    /** A wins only where both orders say so. */
    private static Choice agreed(Choice first, Choice swapped) {
        return first == mirrored(swapped) ? first : Choice.TIE;
    }

    static Judged unanswered(String why) {
        return new Judged(Optional.empty(), 0, Optional.of(why), Optional.empty());
    }

    static Judged of(Verdict<Double> verdict) {
        return new Judged(verdict.value(), verdict.unread(), verdict.failure(), Optional.empty());
    }

    /** @param swapped the verdict on the answers in the other order */
    static Judged of(Verdict<Choice> first, Verdict<Choice> swapped, List<String> answers, List<String> others) {
        int unread = first.unread() + swapped.unread();
        if (first.value().isEmpty() || swapped.value().isEmpty()) {
            return new Judged(Optional.empty(), unread, first.failure().or(swapped::failure), Optional.empty());
        }
        Choice one = first.value().get();
        Choice two = swapped.value().get();
        double score = switch (agreed(one, two)) {
            case A -> 1;
            case B -> 0;
            case TIE -> 0.5;
        };
        return new Judged(
                Optional.of(score), unread, Optional.empty(), Optional.of(Comparison.of(one, two, answers, others)));
    }

    /** Adds it to a line of the log. */
    void put(ObjectNode line) {
        line.set("score", score.map(JsonNodeFactory.instance::numberNode).orElse(null));
        line.put("unread_replies", unread);
        failure.ifPresent(why -> line.put("failure", why));
        comparison.ifPresent(c -> {
            line.put("consistent", c.consistent).put("decided", c.decided).put("first_shown_preferred", c.firstShown);
            c.longer.ifPresent(won -> line.put("longer_won", won));
        });
    }

    /** Out of such a line. */
    static Judged of(JsonNode line) {
        JsonNode longer = line.path("longer_won");
        return new Judged(
                line.path("score").isNumber() ? Optional.of(line.get("score").doubleValue()) : Optional.empty(),
                line.path("unread_replies").asInt(),
                Optional.ofNullable(line.path("failure").textValue()),
                line.has("consistent")
                        ? Optional.of(new Comparison(
                                line.get("consistent").booleanValue(),
                                line.path("decided").asInt(),
                                line.path("first_shown_preferred").asInt(),
                                longer.isBoolean() ? Optional.of(longer.booleanValue()) : Optional.empty()))
                        : Optional.empty());
    }
}
