// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.load;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidInputException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.checkpoint.IoReason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Requests for a load test: read from a file, or made from one seed so that two programs are asked for the same. */
public final class RequestSets {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final long SEED = 20_260_101;

    /** The kinds that can be made. */
    public static final List<String> KINDS = List.of("chat", "document", "shared", "mixed");

    private RequestSets() {}

    /**
     * Requests of one kind: {@code chat} (prompts of 64 to 192 tokens, answers of 128), {@code document} (2,048, 64), {@code shared}
     * (1,024 that are the same in all and 64 of their own, 128), or {@code mixed}, these by turns. Greedy, and never ended early.
     *
     * @param ids tokens that prompts are made of
     */
    public static List<LoadRequest> make(String kind, String model, int[] ids, int count) {
        Random random = new Random(SEED + KINDS.indexOf(kind));
        int[] common = draw(random, ids, 1024);
        List<LoadRequest> requests = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            String one = kind.equals("mixed") ? KINDS.get(i % 3) : kind;
            requests.add(
                    switch (one) {
                        case "chat" -> request(model, draw(random, ids, 64 + random.nextInt(129)), 128);
                        case "document" -> request(model, draw(random, ids, 2048), 64);
                        case "shared" -> request(model, concat(common, draw(random, ids, 64)), 128);
                        default ->
                            throw new InvalidRequestException(
                                    "there is no set of requests '%s'; there are %s", kind, String.join(", ", KINDS));
                    });
        }
        return requests;
    }

    private static int[] draw(Random random, int[] ids, int count) {
        return random.ints(count, 0, ids.length).map(i -> ids[i]).toArray();
    }

    private static int[] concat(int[] first, int[] second) {
        int[] all = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, all, first.length, second.length);
        return all;
    }

    private static LoadRequest request(String model, int[] prompt, int tokens) {
        ObjectNode body = MAPPER.createObjectNode();
        body.put("model", model);
        ArrayNode ids = body.putArray("prompt");
        for (int id : prompt) {
            ids.add(id);
        }
        body.put("max_tokens", tokens).put("temperature", 0).put("ignore_eos", true);
        return new LoadRequest("/v1/completions", body);
    }

    /**
     * Reads a file of requests, a JSON object per line: what would be sent to {@code /v1/chat/completions} if it has messages, or
     * else to {@code /v1/completions}.
     *
     * @throws InvalidInputException if it is something else
     */
    public static List<LoadRequest> read(Path file) {
        List<LoadRequest> requests = new ArrayList<>();
        List<String> lines;
        try {
            lines = Files.readAllLines(file);
        } catch (IOException e) {
            throw new InvalidInputException(e, "%s: cannot be read: %s", file, IoReason.of(e));
        }
        for (int i = 0; i < lines.size(); i++) {
            if (!lines.get(i).isBlank()) {
                requests.add(parse(file, i + 1, lines.get(i)));
            }
        }
        if (requests.isEmpty()) {
            throw new InvalidInputException("%s: holds no request", file);
        }
        return requests;
    }

    private static LoadRequest parse(Path file, int line, String text) {
        try {
            JsonNode body = MAPPER.readTree(text);
            if (body.isObject() && (body.has("messages") || body.has("prompt"))) {
                return new LoadRequest(body.has("messages") ? "/v1/chat/completions" : "/v1/completions", body);
            }
        } catch (JsonProcessingException e) {
            throw new InvalidInputException(e, "%s, line %d: is not JSON", file, line);
        }
        throw new InvalidInputException("%s, line %d: must be an object with messages or a prompt", file, line);
    }
}
