// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.judge;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.eval.score.Mean;
import java.util.List;
import java.util.Optional;

/**
 * What some dialogs have come to.
 *
 * @param mean of the scores; empty if there is none
 * @param failures dialogs without a verdict, which are not in the mean
 * @param unread replies of the judge that could not be read
 * @param wins of comparisons; with losses and ties they are all that have a verdict
 * @param inconsistent comparisons whose two orders disagree
 * @param decided verdicts that were no ties, of both orders
 * @param firstShown how many of those preferred the answer shown first; half of them, if the judge does not care
 * @param longer comparisons that the longer answer has won
 * @param shorter and that the shorter has
 */
public record Tally(
        Optional<Mean> mean,
        int failures,
        int unread,
        int wins,
        int losses,
        int ties,
        int inconsistent,
        int decided,
        int firstShown,
        int longer,
        int shorter) {
    /** Of the normal distribution: 95 % are within so many standard deviations. */
    private static final double DEVIATIONS = 1.959_964;

    static Tally of(List<Judged> judged) {
        List<Double> scores =
                judged.stream().flatMap(one -> one.score().stream()).toList();
        List<Judged.Comparison> comparisons =
                judged.stream().flatMap(one -> one.comparison().stream()).toList();
        return new Tally(
                scores.isEmpty() ? Optional.empty() : Optional.of(Mean.of(scores)),
                judged.size() - scores.size(),
                judged.stream().mapToInt(Judged::unread).sum(),
                (int) scores.stream().filter(s -> s == 1).count(),
                (int) scores.stream().filter(s -> s == 0).count(),
                (int) scores.stream().filter(s -> s == 0.5).count(),
                (int) comparisons.stream().filter(c -> !c.consistent()).count(),
                comparisons.stream().mapToInt(Judged.Comparison::decided).sum(),
                comparisons.stream().mapToInt(Judged.Comparison::firstShown).sum(),
                (int) comparisons.stream().filter(c -> c.longer().orElse(false)).count(),
                (int) comparisons.stream().filter(c -> !c.longer().orElse(true)).count());
    }

    /** How many dialogs have a verdict. */
    public int count() {
        return mean.map(Mean::count).orElse(0);
    }

    /** An interval. */
    public record Interval(double from, double to) {}

    /**
     * Where the share of wins lies with a confidence of 95 %, by Wilson's score interval; ties count as half a win, with which the
     * interval is rather too wide than too narrow.
     */
    public Optional<Interval> winRate() {
        return mean.map(m -> {
            double n = m.count();
            double z2 = DEVIATIONS * DEVIATIONS;
            double middle = (m.value() + z2 / (2 * n)) / (1 + z2 / n);
            double half = DEVIATIONS / (1 + z2 / n) * Math.sqrt(m.value() * (1 - m.value()) / n + z2 / (4 * n * n));
            return new Interval(Math.max(0, middle - half), Math.min(1, middle + half));
        });
    }

    /** @param compared whether the scores are of comparisons */
    ObjectNode json(boolean compared) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        mean.ifPresent(m -> {
            json.put(compared ? "win_rate" : "score", m.value());
            m.standardError().ifPresent(e -> json.put((compared ? "win_rate" : "score") + "_stderr", e));
        });
        json.put("n", count()).put("failures", failures).put("unread_replies", unread);
        if (compared) {
            winRate().ifPresent(i -> json.putArray("win_rate_95").add(i.from).add(i.to));
            json.put("wins", wins).put("losses", losses).put("ties", ties).put("inconsistent", inconsistent);
            json.put("decided_verdicts", decided).put("first_shown_preferred", firstShown);
            json.put("longer_won", longer).put("shorter_won", shorter);
        }
        return json;
    }
}
