// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.judge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.telechat.eval.score.Mean;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TallyTest {
    private static Judged scored(double score) {
        return new Judged(Optional.of(score), 0, Optional.empty(), Optional.empty());
    }

    @Test
    void failuresAreCountedAndNotInTheMean() {
        Tally tally = Tally.of(List.of(
                scored(80),
                new Judged(Optional.of(60.0), 1, Optional.empty(), Optional.empty()),
                new Judged(Optional.empty(), 4, Optional.of("unread"), Optional.empty())));

        assertEquals(70, tally.mean().get().value());
        assertEquals(10, tally.mean().get().standardError().getAsDouble(), 1e-12); // deviation 14.14…, by the root of 2
        assertEquals(2, tally.count());
        assertEquals(1, tally.failures());
        assertEquals(5, tally.unread());
    }

    /** Against the published formula, computed by hand: 8 of 10, and the borders. */
    @ParameterizedTest
    @CsvSource({"8, 2, 0.4902, 0.9433", "10, 0, 0.7225, 1.0", "0, 10, 0.0, 0.2775", "5, 5, 0.2366, 0.7634"})
    void theIntervalIsWilsons(int wins, int losses, double from, double to) {
        List<Judged> judged = new ArrayList<>();
        for (int i = 0; i < wins + losses; i++) {
            judged.add(scored(i < wins ? 1 : 0));
        }
        Tally.Interval interval = Tally.of(judged).winRate().get();

        assertEquals(from, interval.from(), 1e-4);
        assertEquals(to, interval.to(), 1e-4);
    }

    @Test
    void allDialogsCountTheSameOrAllDimensionsDo() {
        Map<String, Tally> dimensions = new LinkedHashMap<>();
        dimensions.put("a", Tally.of(List.of(scored(100), scored(80), scored(90), scored(90))));
        dimensions.put("b", Tally.of(List.of(scored(20), scored(40))));
        dimensions.put("c", Tally.of(List.of(Judged.unanswered("why"))));
        Tally all = Tally.of(List.of(scored(100), scored(80), scored(90), scored(90), scored(20), scored(40)));
        JudgeResults results = new JudgeResults(
                "m", Optional.empty(), "j", dimensions, Map.of("b", "乙"), Map.of(), all, Optional.of("why"));
        Mean mean = results.overDimensions().get();

        assertEquals(70, results.all().mean().get().value());
        assertEquals(60, mean.value());
        assertEquals(2, mean.count());
        double errorOfA = Math.sqrt(200.0 / 3) / 2;
        assertEquals(
                Math.sqrt(errorOfA * errorOfA + 100) / 2, mean.standardError().getAsDouble(), 1e-12);
        assertEquals(60, results.json().at("/all/mean_of_dimensions").doubleValue());
        assertEquals(90, results.json().at("/dimensions/a/score").doubleValue());
        assertFalse(results.json().at("/dimensions/c").has("score"));
        assertEquals("""
                                score  stderr  n  failed
            a                    90.0     4.1  4       0
            b                    30.0    10.0  2       0  乙
            c                       -       -  0       1

            all dialogs          70.0    13.2  6       0
            mean of dimensions   60.0     5.4
            """, results.table());
    }
}
