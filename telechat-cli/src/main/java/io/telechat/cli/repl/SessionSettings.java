// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli.repl;

import io.telechat.core.InvalidRequestException;
import io.telechat.infer.ChatSession;
import io.telechat.infer.GenerationOptions;
import io.telechat.infer.sampling.SamplingOptions;

/** The options that {@code /set} shows and changes. */
record SessionSettings(ChatSession session) {
    /**
     * @param argument {@code NAME VALUE}, or nothing to list the options
     * @return what to tell the user
     */
    String set(String argument) {
        if (argument.isEmpty()) {
            return list();
        }
        String[] words = argument.split("\\s+");
        if (words.length != 2) {
            throw new InvalidRequestException("/set takes a name and a value, such as: /set temperature 0.7");
        }
        String name = words[0].replace('_', '-');
        try {
            session.setOptions(change(session.options(), name, words[1]));
        } catch (NumberFormatException e) {
            throw new InvalidRequestException("'%s' is not a number for %s".formatted(words[1], name));
        }
        return name + " is now " + words[1];
    }

    private static GenerationOptions change(GenerationOptions options, String name, String value) {
        SamplingOptions s = options.sampling();
        return switch (name) {
            case "temperature" -> options.withSampling(with(s, Float.parseFloat(value), s.topK(), s.topP(), s.minP()));
            case "top-k" -> options.withSampling(with(s, s.temperature(), Integer.parseInt(value), s.topP(), s.minP()));
            case "top-p" -> options.withSampling(with(s, s.temperature(), s.topK(), Float.parseFloat(value), s.minP()));
            case "min-p" -> options.withSampling(with(s, s.temperature(), s.topK(), s.topP(), Float.parseFloat(value)));
            case "greedy" -> options.withSampling(sampling(s, !Boolean.parseBoolean(value), s.repetitionPenalty()));
            case "sample" -> options.withSampling(sampling(s, Boolean.parseBoolean(value), s.repetitionPenalty()));
            case "repetition-penalty" -> options.withSampling(sampling(s, s.sample(), Float.parseFloat(value)));
            case "seed" -> options.withSeed(Long.parseLong(value));
            case "max-new-tokens" -> options.withMaxNewTokens(Integer.parseInt(value));
            default -> throw new InvalidRequestException("there is no option '%s'; /set lists them".formatted(name));
        };
    }

    /** Setting one of these means that tokens are drawn. */
    private static SamplingOptions with(SamplingOptions s, float temperature, int topK, float topP, float minP) {
        return new SamplingOptions(
                true, temperature, topK, topP, minP, s.repetitionPenalty(), s.presencePenalty(), s.frequencyPenalty());
    }

    private static SamplingOptions sampling(SamplingOptions s, boolean sample, float repetitionPenalty) {
        return new SamplingOptions(
                sample,
                s.temperature(),
                s.topK(),
                s.topP(),
                s.minP(),
                repetitionPenalty,
                s.presencePenalty(),
                s.frequencyPenalty());
    }

    private String list() {
        GenerationOptions o = session.options();
        SamplingOptions s = o.sampling();
        String maxNewTokens =
                o.maxNewTokens().isPresent() ? String.valueOf(o.maxNewTokens().getAsInt()) : "the model's default";
        return """
            sample %s
            temperature %s
            top-k %d
            top-p %s
            min-p %s
            repetition-penalty %s
            seed %d
            max-new-tokens %s\
            """.formatted(
                        !s.isGreedy(),
                        s.temperature(),
                        s.topK(),
                        s.topP(),
                        s.minP(),
                        s.repetitionPenalty(),
                        o.seed(),
                        maxNewTokens);
    }
}
