// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.judge;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads a score from 0 to 100 out of what a judge says: JSON as it was asked for, perhaps with other text around it; a labelled
 * number, {@code Score: 85} or {@code 评分：85}; {@code 85/100}; or nothing but a number. The last one counts, for judges correct
 * themselves. A number that is out of range, a range, or of another scale ({@code 8/10}) is no score.
 */
final class ScoreReader {
    /** Not followed by more of a number, or by the other end of a range; perhaps by what it is out of. */
    private static final String NUMBER = "([-−]?\\d{1,6}(?:\\.\\d{1,6})?)(?![\\d.]*\\d)(?!\\s*[-–—~～至到]\\s*\\d)";

    private static final String OUT_OF = "(?:\\s*分)?(?:\\s*(?:[/／]|out of)\\s*(\\d+))?";

    private static final Pattern LABELLED = Pattern.compile(
            "(?:\\b(?:score|rating|grade)|评分|得分|分数|打分)[\"'”*_`\\]】]*\\s*(?:out of 100)?\\s*(?:[(（][^)）\\n"
                    + "]{0,40}[)）])?\\s*(?:is|of|为|是)?\\s*[:：=]?[\\s\"'“*_`\\[【]*" + NUMBER + OUT_OF,
            Pattern.CASE_INSENSITIVE);
    private static final Pattern FRACTION = Pattern.compile("(?<![\\d./])" + NUMBER + "(?:\\s*分)?\\s*[/／]\\s*(\\d+)");
    private static final Pattern ALONE = Pattern.compile(
            "[\\s*_`\\[【\"]*" + NUMBER + OUT_OF + "(?:\\s*points?)?[\\s*_`\\]】\"。.]*", Pattern.CASE_INSENSITIVE);
    private static final double MOST = 100;

    private ScoreReader() {}

    static Optional<Reading<Double>> read(String reply) {
        Optional<JsonNode> json = JsonReplies.lastWith("score", reply);
        if (json.isPresent()) {
            return ofJson(json.get()).map(score -> new Reading<>(score, JsonReplies.text(json.get(), "reason")));
        }
        Matcher alone = ALONE.matcher(reply);
        Optional<Matcher> found = alone.matches()
                ? Optional.of(alone)
                : last(LABELLED.matcher(reply)).or(() -> last(FRACTION.matcher(reply)));
        return found.flatMap(ScoreReader::score).map(score -> new Reading<>(score, reply.strip()));
    }

    private static Optional<Double> ofJson(JsonNode object) {
        JsonNode score = object.get("score");
        if (score.isNumber()) {
            return inRange(score.doubleValue());
        }
        Matcher text = ALONE.matcher(score.asText());
        return text.matches() ? score(text) : Optional.empty();
    }

    /** Standing on the last match. */
    private static Optional<Matcher> last(Matcher matcher) {
        int start = -1;
        while (matcher.find()) {
            start = matcher.start();
        }
        return start >= 0 && matcher.find(start) ? Optional.of(matcher) : Optional.empty();
    }

    private static Optional<Double> score(Matcher match) {
        String outOf = match.group(2);
        if (outOf != null && !outOf.equals("100")) {
            return Optional.empty();
        }
        return inRange(Double.parseDouble(match.group(1).replace('−', '-')));
    }

    private static Optional<Double> inRange(double score) {
        return score >= 0 && score <= MOST ? Optional.of(score) : Optional.empty();
    }
}
