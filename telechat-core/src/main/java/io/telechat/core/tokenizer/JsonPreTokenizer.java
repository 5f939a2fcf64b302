// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.Message;
import java.util.List;
import java.util.Optional;

/** Reads the pre-tokenizer of a tokenizer.json. */
record JsonPreTokenizer(JsonSteps json) {
    /**
     * How words are cut.
     *
     * @param isByteLevel whether bytes rather than characters are merged
     */
    record Cutting(PipelineTokenizer.Words words, boolean isByteLevel) {}

    Cutting read(JsonNode part) {
        List<JsonNode> steps = json.steps(part, "pretokenizers");
        PreTokenizer atStart = PreTokenizer.NONE;
        PreTokenizer behind = PreTokenizer.NONE;
        boolean isByteLevel = false;
        for (int i = 0; i < steps.size(); i++) {
            JsonNode step = steps.get(i);
            json.require(!isByteLevel, Message.of("its pre-tokenizer has a step behind %s", "ByteLevel"));
            isByteLevel = json.type(step).equals("ByteLevel");
            PreTokenizer first = step(step, i == 0);
            PreTokenizer later = isMetaspaceAtStart(step) ? metaspace(step, false) : first;
            atStart = i == 0 ? first : atStart.then(first);
            behind = i == 0 ? later : behind.then(later);
        }
        return new Cutting(new PipelineTokenizer.Words(atStart, behind), isByteLevel);
    }

    private PreTokenizer step(JsonNode step, boolean isFirst) {
        return switch (json.type(step)) {
            case "ByteLevel" -> byteLevel(step);
            case "Split" -> split(step);
            case "Metaspace" -> {
                json.require(
                        isFirst || !isMetaspaceAtStart(step),
                        Message.of("its pre-tokenizer has a step behind %s", "Metaspace"));
                yield metaspace(step, !prefix(step).equals("never"));
            }
            case "Digits" ->
                isolating(step.path("individual_digits").asBoolean() ? "\\p{N}" : "\\p{N}+", behavior("Isolated"));
            case "Punctuation" ->
                isolating("[\\p{P}$+<=>^`|~]", behavior(step.path("behavior").asText("Isolated")));
            case "Whitespace" ->
                new PatternSplit(
                        json.path(),
                        Oniguruma.compile(json.path(), "[[:word:]]+|[^[:word:]\\s]+"),
                        PatternSplit.Behavior.REMOVED,
                        true);
            case "WhitespaceSplit" -> isolating("\\s", PatternSplit.Behavior.REMOVED);
            default -> throw json.refused(Message.of("its pre-tokenizer has a step %s", step.path("type")));
        };
    }

    private PatternSplit isolating(String regex, PatternSplit.Behavior behavior) {
        return new PatternSplit(json.path(), Oniguruma.compile(json.path(), regex), behavior, false);
    }

    private PreTokenizer byteLevel(JsonNode step) {
        PreTokenizer words = step.path("use_regex").asBoolean(true) ? GptWords.gpt2() : PreTokenizer.NONE;
        return step.path("add_prefix_space").asBoolean(true)
                ? PreTokenizer.blankInFront().then(words)
                : words;
    }

    private PreTokenizer split(JsonNode step) {
        PatternSplit.Behavior behavior = behavior(json.text(step.path("behavior"), "behavior"));
        boolean inverts = step.path("invert").asBoolean();
        Optional<PreTokenizer> known = json.regex(step).flatMap(GptWords::of);
        return known.isPresent() && behavior == PatternSplit.Behavior.ISOLATED
                ? known.get()
                : new PatternSplit(json.path(), json.pattern(step), behavior, inverts);
    }

    private PatternSplit.Behavior behavior(String name) {
        return switch (name) {
            case "Removed" -> PatternSplit.Behavior.REMOVED;
            case "Isolated" -> PatternSplit.Behavior.ISOLATED;
            case "Contiguous" -> PatternSplit.Behavior.CONTIGUOUS;
            case "MergedWithPrevious" -> PatternSplit.Behavior.MERGED_WITH_PREVIOUS;
            case "MergedWithNext" -> PatternSplit.Behavior.MERGED_WITH_NEXT;
            default -> throw json.refused(Message.of("its pre-tokenizer has a behavior %s", name));
        };
    }

    private Metaspace metaspace(JsonNode step, boolean addsPrefix) {
        return new Metaspace(
                json.character(step.path("replacement"), "replacement"),
                addsPrefix,
                step.path("split").asBoolean(true));
    }

    private static boolean isMetaspaceAtStart(JsonNode step) {
        return step.path("type").asText().equals("Metaspace") && prefix(step).equals("first");
    }

    /** Older files have a switch in place of the scheme. */
    static String prefix(JsonNode metaspace) {
        return metaspace
                .path("prepend_scheme")
                .asText(metaspace.path("add_prefix_space").asBoolean(true) ? "always" : "never");
    }
}
