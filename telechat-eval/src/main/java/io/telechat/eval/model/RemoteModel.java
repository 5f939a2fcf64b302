// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidInputException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.tokenizer.Tokenizer;
import io.telechat.eval.task.Prompt;
import io.telechat.eval.task.Query;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.StreamSupport;

/**
 * A model behind a server that speaks OpenAI's API. Plain prompts go to {@code completions}, conversations to {@code
 * chat/completions}. Likelihoods take a server that echoes the log-probabilities of prompts given as ids, as telechat's and vLLM's
 * do, and the model's tokenizer here.
 */
public final class RemoteModel implements Answerer {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    /** More are refused by OpenAI; the others are cut off afterwards. */
    private static final int MOST_STOPS = 4;

    private final OpenAiClient client;
    private final String model;
    private final Optional<Tokenizer> tokenizer;
    private final PromptForm form;
    private final int parallel;
    private final ExecutorService waiting = Executors.newVirtualThreadPerTaskExecutor();

    /**
     * @param client closed with this
     * @param model as the server names it
     * @param tokenizer of that model, for likelihoods and to cut what is too long
     * @param parallel requests at a time
     */
    public RemoteModel(
            OpenAiClient client, String model, Optional<Tokenizer> tokenizer, PromptForm form, int parallel) {
        this.client = client;
        this.model = model;
        this.tokenizer = tokenizer;
        this.form = form;
        this.parallel = parallel;
    }

    /** The only model of a server. */
    public static String onlyModel(OpenAiClient client) {
        List<String> models = StreamSupport.stream(
                        client.get("models").path("data").spliterator(), false)
                .map(entry -> entry.path("id").asText())
                .toList();
        if (models.size() != 1) {
            throw new InvalidRequestException(
                    "the server has %d models: which? (--model NAME, of a judge --judge-model NAME) %s",
                    models.size(), String.join(", ", models));
        }
        return models.getFirst();
    }

    @Override
    public String name() {
        return model;
    }

    @Override
    public String endOfText() {
        return "</s>";
    }

    @Override
    public int parallel() {
        return parallel;
    }

    @Override
    public CompletableFuture<Likelihoods> likelihoods(Asked asked, Query.Choice choice) {
        if (!(asked.item().prompt() instanceof Prompt.FewShot shots) || form.chat()) {
            throw new InvalidRequestException("the likelihoods of a conversation's answers cannot be had of a server");
        }
        Tokenizer pieces = tokenizer.orElseThrow(() -> new InvalidRequestException(
                "%s compares likelihoods, for which the model's tokenizer is needed here: --tokenizer DIR",
                asked.task()));
        int length = form.maxLength().orElse(Integer.MAX_VALUE - 1);
        ChoiceTokens tokens = ChoiceTokens.ofText(pieces, shots.text(), choice, Set.of());
        return CompletableFuture.supplyAsync(
                () -> tokens.likelihoods(index -> echoed(tokens, index, length), length), waiting);
    }

    /** What the server says of one answer's tokens; see {@code echo} and {@code logprobs} of the completions API. */
    private ChoiceTokens.Found echoed(ChoiceTokens tokens, int index, int maxLength) {
        int[] ids = tokens.whole(index, maxLength);
        int answer = tokens.answers().get(index).length;
        ObjectNode body = request().put("max_tokens", 1).put("echo", true).put("logprobs", 1);
        ArrayNode prompt = body.putArray("prompt");
        for (int id : ids) {
            prompt.add(id);
        }
        JsonNode logprobs =
                client.post("completions", body).path("choices").path(0).path("logprobs");
        JsonNode values = logprobs.path("token_logprobs");
        JsonNode names = logprobs.path("tokens");
        JsonNode top = logprobs.path("top_logprobs");
        if (values.size() < ids.length || names.size() < ids.length) {
            throw new InvalidInputException("the server does not echo log-probabilities of prompts (echo, logprobs)");
        }
        double sum = 0;
        boolean greedy = true;
        for (int i = ids.length - answer; i < ids.length; i++) {
            sum += values.get(i).asDouble();
            greedy &= isTop(top.path(i), values.get(i).asDouble());
        }
        return new ChoiceTokens.Found(sum, greedy);
    }

    private static boolean isTop(JsonNode alternatives, double logprob) {
        return alternatives.properties().stream()
                .allMatch(alternative -> alternative.getValue().asDouble() <= logprob);
    }

    @Override
    public CompletableFuture<Answer> answer(Asked asked, Query.FreeAnswer query) {
        return CompletableFuture.supplyAsync(() -> ask(asked.item().prompt(), query), waiting);
    }

    private Answer ask(Prompt prompt, Query.FreeAnswer query) {
        boolean plain = prompt instanceof Prompt.FewShot && !form.chat();
        ObjectNode body = request().put("max_tokens", form.newTokens(query.maxNewTokens()));
        List<String> stops = query.until().subList(0, Math.min(query.until().size(), MOST_STOPS));
        if (!stops.isEmpty()) {
            stops.forEach(body.putArray("stop")::add);
        }
        if (plain) {
            body.put("prompt", ((Prompt.FewShot) prompt).text());
        } else {
            Prompt.Dialog dialog =
                    prompt instanceof Prompt.FewShot shots ? shots.dialog(form.multiturn()) : (Prompt.Dialog) prompt;
            ArrayNode messages = body.putArray("messages");
            dialog.asked()
                    .forEach(turn -> messages.addObject()
                            .put("role", role(turn.speaker()))
                            .put("content", turn.text()));
        }
        JsonNode answer = client.post(plain ? "completions" : "chat/completions", body);
        JsonNode choice = answer.path("choices").path(0);
        JsonNode text = plain ? choice.path("text") : choice.path("message").path("content");
        if (!text.isTextual()) {
            throw new InvalidInputException("the server's answer has no text");
        }
        JsonNode usage = answer.path("usage");
        return new Answer(
                number(usage.path("prompt_tokens")), 0, number(usage.path("completion_tokens")), text.asText());
    }

    private static String role(Prompt.Speaker speaker) {
        return switch (speaker) {
            case SYSTEM -> "system";
            case HUMAN -> "user";
            case BOT -> "assistant";
        };
    }

    private static OptionalInt number(JsonNode node) {
        return node.isInt() ? OptionalInt.of(node.asInt()) : OptionalInt.empty();
    }

    private ObjectNode request() {
        return MAPPER.createObjectNode().put("model", model).put("temperature", 0);
    }

    @Override
    public void close() {
        waiting.shutdownNow();
        client.close();
    }
}
