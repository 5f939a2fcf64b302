// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.model;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.chat.ChatMessage;
import io.telechat.core.chat.MarkerPolicy;
import io.telechat.core.chat.Role;
import io.telechat.core.chat.SystemMessages;
import io.telechat.core.tokenizer.Tokenizer;
import io.telechat.eval.task.Prompt;
import io.telechat.eval.task.Query;
import io.telechat.infer.CacheSize;
import io.telechat.infer.ChatModel;
import io.telechat.infer.LoadOptions;
import io.telechat.infer.engine.EngineListener;
import io.telechat.infer.engine.Request;
import io.telechat.infer.engine.RowScore;
import io.telechat.infer.generation.Generation;
import io.telechat.infer.generation.GenerationOptions;
import io.telechat.infer.generation.TokenEvent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/**
 * A model in this process. Questions go to its engine, which computes many at once and what several begin with only once; what
 * comes of each is the same, to the bit, as if it were alone.
 */
public final class LocalModel implements Answerer {
    /** Documents before the engine for each sequence that it computes at once: enough to find those that begin alike. */
    private static final int DOCUMENTS_PER_SEQUENCE = 4;

    /** More sequences than all of these documents have. */
    private static final int QUEUE = 1 << 20;

    private final ChatModel model;
    private final String name;
    private final String identity;
    private final PromptForm form;
    private final int maxLength;
    private final int parallel;
    private final Set<Integer> endIds;

    /**
     * @param model closed with this
     * @param identity tells it from others, and from itself with other weights or in other types
     * @param batchSize sequences that it computes at once
     */
    public LocalModel(ChatModel model, String name, String identity, PromptForm form, int batchSize) {
        this.model = model;
        this.name = name;
        this.identity = identity;
        this.form = form;
        this.maxLength = Math.min(form.maxLength().orElse(Integer.MAX_VALUE), model.contextLength());
        this.parallel = DOCUMENTS_PER_SEQUENCE * batchSize;
        this.endIds = model.defaults().stopIds();
    }

    /** What a model that answers so many documents at once is best loaded with. */
    public static LoadOptions.Builder inBatches(LoadOptions.Builder options, int batchSize) {
        return options.cacheSize(new CacheSize.HalfOfMachine())
                .maxBatch(batchSize)
                .maxQueue(QUEUE);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String identity() {
        return identity;
    }

    @Override
    public String endOfText() {
        return endIds.stream()
                .filter(model.tokenizer()::has) // a model may have more ids than its vocabulary
                .min(Integer::compare)
                .map(model.tokenizer()::piece)
                .orElse("</s>");
    }

    @Override
    public int parallel() {
        return parallel;
    }

    @Override
    public CompletableFuture<Likelihoods> likelihoods(Asked asked, Query.Choice choice) {
        ChoiceTokens tokens = choiceTokens(asked.item().prompt(), choice);
        List<ChoiceTokens.Pass> passes = tokens.passes(maxLength);
        List<Request> requests = passes.stream()
                .map(pass -> Request.scoring(pass.input(), pass.wanted()))
                .toList();
        CompletableFuture<Likelihoods> result = new CompletableFuture<>();
        List<List<RowScore>> scores = new ArrayList<>();
        requests.forEach(request -> scores.add(null));
        model.engine().submit(requests, new Completing(result) {
            private int left = requests.size();

            @Override
            public void scored(int index, List<RowScore> rows) {
                scores.set(index, rows);
                if (--left == 0) {
                    result.complete(tokens.likelihoods(passes, scores, maxLength));
                }
            }
        });
        return result;
    }

    private ChoiceTokens choiceTokens(Prompt prompt, Query.Choice choice) {
        return form.text(prompt)
                .map(text -> ChoiceTokens.ofText(model.tokenizer(), text, choice, endIds))
                .orElseGet(() -> ChoiceTokens.ofDialog(model.tokenizer(), dialogIds(prompt, 1), choice));
    }

    @Override
    public CompletableFuture<Answer> answer(Asked asked, Query.FreeAnswer query) {
        int newTokens = form.newTokens(query.maxNewTokens());
        Optional<String> text = form.text(asked.item().prompt());
        boolean plain = text.isPresent();
        int[] all = text.map(model.tokenizer()::encode)
                .orElseGet(() -> dialogIds(asked.item().prompt(), newTokens));
        if (newTokens >= maxLength) {
            throw new InvalidRequestException(
                    "answers of %,d tokens leave no room for a question in %,d (--max-gen-toks)", newTokens, maxLength);
        }
        int[] ids = Arrays.copyOfRange(all, Math.max(0, all.length - (maxLength - newTokens)), all.length);
        GenerationOptions greedy = GenerationOptions.greedy().withMaxNewTokens(newTokens);
        GenerationOptions options = (plain ? greedy : model.asChat(greedy)).alsoEndingWith(endIds, query.until());
        CompletableFuture<Answer> result = new CompletableFuture<>();
        model.engine().submit(List.of(Request.of(ids, options)), new Completing(result) {
            @Override
            public void finished(int index, Generation generation) {
                result.complete(new Answer(
                        OptionalInt.of(all.length),
                        all.length - ids.length,
                        OptionalInt.of(generation.tokens().size()),
                        plain ? decoded(ids, generation) : generation.text()));
            }
        });
        return result;
    }

    /** The new tokens alone, as lm-evaluation-harness reads them, which loses a blank in front; or as the prompt goes on. */
    private String decoded(int[] prompt, Generation generation) {
        int[] added = generation.tokens().stream().mapToInt(i -> i).toArray();
        Tokenizer tokenizer = model.tokenizer();
        if (!form.decodeWithPrompt()) {
            return tokenizer.decode(added);
        }
        int[] whole = Arrays.copyOf(prompt, prompt.length + added.length);
        System.arraycopy(added, 0, whole, prompt.length, added.length);
        return tokenizer.decode(whole).substring(tokenizer.decode(prompt).length());
    }

    /** A conversation; where it is too long, without its first examples. */
    private int[] dialogIds(Prompt prompt, int newTokens) {
        List<ChatMessage> messages = new ArrayList<>(form.conversation(prompt));
        int[] ids = ids(messages);
        while (ids.length + newTokens > maxLength && messages.size() > 2) {
            int first = messages.getFirst().role() == Role.SYSTEM ? 1 : 0;
            messages.subList(first, Math.min(first + 2, messages.size() - 1)).clear();
            ids = ids(messages);
        }
        return ids;
    }

    private int[] ids(List<ChatMessage> messages) {
        return model.chatTokenizer().prompt(messages, MarkerPolicy.ESCAPE, SystemMessages.FOLD);
    }

    /** Hands failures on; tokens are of no interest while they come. */
    private static class Completing implements EngineListener {
        private final CompletableFuture<?> result;

        Completing(CompletableFuture<?> result) {
            this.result = result;
        }

        @Override
        public void token(int index, TokenEvent event) {
            // The whole answer comes at the end.
        }

        @Override
        public void finished(int index, Generation generation) {
            // Scores have come before.
        }

        @Override
        public void failed(int index, RuntimeException failure) {
            result.completeExceptionally(failure);
        }
    }

    @Override
    public void close() {
        model.close();
    }
}
