// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.model;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.InvalidInputException;
import io.telechat.core.Message;
import io.telechat.core.chat.ChatMessage;
import io.telechat.core.chat.MarkerPolicy;
import io.telechat.core.chat.SystemMessages;
import io.telechat.infer.ChatModel;
import io.telechat.infer.generation.ContextOverflowException;
import io.telechat.infer.generation.Generation;
import io.telechat.infer.generation.GenerationOptions;
import io.telechat.infer.generation.TokenListener;
import io.telechat.infer.grammar.Grammar;
import io.telechat.infer.grammar.JsonSchema;
import io.telechat.infer.sampling.SamplingOptions;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** A model in this process, whose engine computes many conversations at once. */
public final class LocalChat implements Chat {
    private final ChatModel model;
    private final String name;
    private final Map<JsonNode, Grammar> grammars = new ConcurrentHashMap<>(); // each finds out its states once

    /** @param model closed with this */
    public LocalChat(ChatModel model, String name) {
        this.model = model;
        this.name = name;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public int parallel() {
        return model.engine().options().maxBatch();
    }

    @Override
    public String answer(List<ChatMessage> conversation, ChatSettings how) {
        int[] prompt = model.chatTokenizer().prompt(conversation, MarkerPolicy.ESCAPE, SystemMessages.FOLD);
        Generation generation;
        try {
            generation = model.generate(prompt, options(how), TokenListener.SILENT);
        } catch (ContextOverflowException e) {
            throw new UnanswerableException(e);
        }
        if (Thread.currentThread().isInterrupted()) {
            throw new InvalidInputException("%s", Message.of("interrupted"));
        }
        return generation.text();
    }

    /** The checkpoint's, but for the draw: what it says of that is made for talk, not for measuring. */
    private GenerationOptions options(ChatSettings how) {
        SamplingOptions sampling = how.temperature() == 0
                ? SamplingOptions.GREEDY
                : new SamplingOptions(true, (float) how.temperature(), 0, 1, 0, 1, 0, 0);
        GenerationOptions options = model.asChat(model.defaults())
                .withSampling(sampling)
                .withSeed(how.seed())
                .withMaxNewTokens(how.maxNewTokens());
        return how.schema()
                .map(schema -> options.withGrammar(grammars.computeIfAbsent(schema, JsonSchema::compile)))
                .orElse(options);
    }

    @Override
    public void close() {
        model.close();
    }
}
