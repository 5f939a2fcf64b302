// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli.repl;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.Message;
import io.telechat.infer.ChatSession;
import io.telechat.infer.OverflowPolicy;
import io.telechat.infer.sampling.SamplingOptions;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The options that {@code /set} shows and changes. */
record SessionSettings(ChatSession session) {
    /** One of them, by its name. */
    private record Setting(String name, Function<ChatSession, Object> value, BiConsumer<ChatSession, String> change) {}

    private static final List<Setting> ALL = List.of(
            sampling("sample", s -> !s.isGreedy(), (s, v) -> sample(s, Boolean.parseBoolean(v))),
            sampling(
                    "temperature",
                    SamplingOptions::temperature,
                    (s, v) -> drawing(s, Float.parseFloat(v), s.topK(), s.topP(), s.minP())),
            sampling(
                    "top-k",
                    SamplingOptions::topK,
                    (s, v) -> drawing(s, s.temperature(), Integer.parseInt(v), s.topP(), s.minP())),
            sampling(
                    "top-p",
                    SamplingOptions::topP,
                    (s, v) -> drawing(s, s.temperature(), s.topK(), Float.parseFloat(v), s.minP())),
            sampling(
                    "min-p",
                    SamplingOptions::minP,
                    (s, v) -> drawing(s, s.temperature(), s.topK(), s.topP(), Float.parseFloat(v))),
            sampling(
                    "repetition-penalty",
                    SamplingOptions::repetitionPenalty,
                    (s, v) -> penalties(s, Float.parseFloat(v), s.presencePenalty(), s.frequencyPenalty())),
            sampling(
                    "presence-penalty",
                    SamplingOptions::presencePenalty,
                    (s, v) -> penalties(s, s.repetitionPenalty(), Float.parseFloat(v), s.frequencyPenalty())),
            sampling(
                    "frequency-penalty",
                    SamplingOptions::frequencyPenalty,
                    (s, v) -> penalties(s, s.repetitionPenalty(), s.presencePenalty(), Float.parseFloat(v))),
            new Setting(
                    "seed",
                    s -> s.options().seed(),
                    (s, v) -> s.setOptions(s.options().withSeed(Long.parseLong(v)))),
            new Setting(
                    "max-new-tokens",
                    s -> s.options().maxNewTokens().isPresent()
                            ? s.options().maxNewTokens().getAsInt()
                            : "the model's default",
                    (s, v) -> s.setOptions(s.options().withMaxNewTokens(Integer.parseInt(v)))),
            new Setting(
                    "max-thinking-tokens",
                    s -> s.options().thinking().maxTokens().isPresent()
                            ? s.options().thinking().maxTokens().getAsInt()
                            : "no bound",
                    (s, v) -> s.setOptions(s.options().withMaxThinkingTokens(Integer.parseInt(v)))),
            new Setting("context-overflow", ChatSession::overflowPolicy, (s, v) -> s.setOverflowPolicy(policy(v))));

    /** For completion. */
    static final List<String> NAMES = ALL.stream().map(Setting::name).toList();

    private static final int WIDTH =
            NAMES.stream().mapToInt(String::length).max().orElse(0);

    /** Takes the new value of an option into the others. */
    private interface Change {
        SamplingOptions apply(SamplingOptions options, String value);
    }

    private static Setting sampling(String name, Function<SamplingOptions, Object> value, Change change) {
        return new Setting(
                name,
                s -> value.apply(s.options().sampling()),
                (s, v) -> s.setOptions(
                        s.options().withSampling(change.apply(s.options().sampling(), v))));
    }

    private static SamplingOptions sample(SamplingOptions s, boolean on) {
        return new SamplingOptions(
                on,
                s.temperature(),
                s.topK(),
                s.topP(),
                s.minP(),
                s.repetitionPenalty(),
                s.presencePenalty(),
                s.frequencyPenalty());
    }

    /** To set one of these means that tokens are drawn. */
    private static SamplingOptions drawing(SamplingOptions s, float temperature, int topK, float topP, float minP) {
        return new SamplingOptions(
                true, temperature, topK, topP, minP, s.repetitionPenalty(), s.presencePenalty(), s.frequencyPenalty());
    }

    private static SamplingOptions penalties(SamplingOptions s, float repetition, float presence, float frequency) {
        return new SamplingOptions(
                s.sample(), s.temperature(), s.topK(), s.topP(), s.minP(), repetition, presence, frequency);
    }

    private static OverflowPolicy policy(String value) {
        return Stream.of(OverflowPolicy.values())
                .filter(p -> p.toString().equals(value))
                .findFirst()
                .orElseThrow(() -> new InvalidRequestException(
                        "context-overflow is %s, must be error or drop-oldest-turns", value));
    }

    /**
     * @param argument {@code NAME VALUE}, or nothing to list the options
     * @return what to tell the user
     */
    String set(String argument) {
        if (argument.isEmpty()) {
            return ALL.stream()
                    .map(s -> ("%-" + WIDTH + "s  %s")
                            .formatted(s.name(), s.value().apply(session)))
                    .collect(Collectors.joining("\n"));
        }
        String[] words = argument.split("\\s+");
        if (words.length != 2) {
            throw new InvalidRequestException("/set takes a name and a value, such as: /set temperature 0.7");
        }
        String name = words[0].replace('_', '-');
        boolean greedy = name.equals("greedy"); // the other way round
        Setting setting = ALL.stream()
                .filter(s -> s.name().equals(greedy ? "sample" : name))
                .findFirst()
                .orElseThrow(() -> Suggestions.nearest(name, NAMES)
                        .map(near ->
                                new InvalidRequestException("there is no option '%s'; did you mean %s?", name, near))
                        .orElseGet(
                                () -> new InvalidRequestException("there is no option '%s'; /set lists them", name)));
        try {
            setting.change().accept(session, greedy ? String.valueOf(!Boolean.parseBoolean(words[1])) : words[1]);
        } catch (NumberFormatException e) {
            throw new InvalidRequestException("'%s' is not a number for %s", words[1], name);
        }
        return Message.localized("%s is now %s", name, words[1]);
    }
}
