// SPDX-License-Identifier: Apache-2.0
package io.telechat.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.openai.OpenAiChatModel;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model that thinks before it answers, behind the API. */
class ThinkingServerTest {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String CHAT = "/v1/chat/completions";
    private static final String QUESTION =
            "{\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}],\"temperature\":0,\"max_tokens\":60%s}";

    @TempDir
    static Path directory;

    private static Served served;

    @BeforeAll
    static void start() throws IOException {
        served = Served.thinking(directory);
    }

    @AfterAll
    static void stop() {
        served.close();
    }

    private static JsonNode ask(String more) throws IOException, InterruptedException {
        HttpResponse<String> response = served.post(CHAT, QUESTION.formatted(more));
        assertEquals(200, response.statusCode(), response.body());
        return MAPPER.readTree(response.body());
    }

    @Test
    void thoughtsAreBesideTheAnswer() throws Exception {
        JsonNode reply = ask("");
        JsonNode message = reply.at("/choices/0/message");
        assertFalse(message.path("reasoning_content").asText().isBlank());
        assertFalse(message.path("content").asText().isBlank());
        assertEquals(
                30,
                reply.at("/usage/completion_tokens_details/reasoning_tokens").intValue());
        assertEquals(60, reply.at("/usage/completion_tokens").intValue());
    }

    @Test
    void aStreamIsTheWholeInPieces() throws Exception {
        String logprobs = ",\"logprobs\":true,\"top_logprobs\":1,\"n\":2";
        JsonNode whole = ask(logprobs);
        HttpResponse<String> streamed = served.post(
                CHAT, QUESTION.formatted(logprobs + ",\"stream\":true,\"stream_options\":{\"include_usage\":true}"));
        StringBuilder thoughts = new StringBuilder();
        StringBuilder answer = new StringBuilder();
        ArrayNode rows = MAPPER.createArrayNode();
        JsonNode usage = null;
        for (String line :
                streamed.body().lines().filter(l -> l.startsWith("data: {")).toList()) {
            JsonNode event = MAPPER.readTree(line.substring(6));
            usage = event.path("usage").isObject() ? event.get("usage") : usage;
            JsonNode choice = event.at("/choices/0");
            if (choice.path("index").asInt() == 0) {
                JsonNode delta = choice.path("delta");
                assertTrue(answer.isEmpty() || !delta.has("reasoning_content"), "thoughts come first");
                thoughts.append(delta.path("reasoning_content").asText());
                answer.append(delta.path("content").asText());
                choice.at("/logprobs/content").forEach(rows::add);
            }
        }
        assertEquals(whole.at("/choices/0/message/reasoning_content").asText(), thoughts.toString());
        assertEquals(whole.at("/choices/0/message/content").asText(), answer.toString());
        assertEquals(whole.at("/choices/0/logprobs/content"), rows);
        assertEquals(60, usage.at("/completion_tokens_details/reasoning_tokens").intValue());
    }

    @Test
    void thoughtsAreBoundedOrTurnedOff() throws Exception {
        JsonNode few = ask(",\"max_thinking_tokens\":5");
        assertEquals(
                5, few.at("/usage/completion_tokens_details/reasoning_tokens").intValue());
        JsonNode none = ask(",\"max_thinking_tokens\":0");
        assertFalse(none.at("/choices/0/message").has("reasoning_content"));
        assertEquals(
                none.at("/choices/0/message"),
                ask(",\"chat_template_kwargs\":{\"enable_thinking\":false}").at("/choices/0/message"));
        assertEquals(
                30,
                ask(",\"chat_template_kwargs\":{\"enable_thinking\":true}")
                        .at("/usage/completion_tokens_details/reasoning_tokens")
                        .intValue());
        for (String wrong : new String[] {
            ",\"max_thinking_tokens\":-1", ",\"max_thinking_tokens\":\"few\"", ",\"chat_template_kwargs\":[]"
        }) {
            assertEquals(400, served.post(CHAT, QUESTION.formatted(wrong)).statusCode(), wrong);
        }
    }

    @Test
    void whatIsCutWithinThoughtsHasNoAnswer() throws Exception {
        JsonNode cut = ask(",\"max_completion_tokens\":20");
        assertEquals("", cut.at("/choices/0/message/content").textValue());
        assertEquals("length", cut.at("/choices/0/finish_reason").textValue());
        assertEquals(
                20, cut.at("/usage/completion_tokens_details/reasoning_tokens").intValue());
    }

    @Test
    void formsAndForcedCallsBindTheAnswer() throws Exception {
        JsonNode json =
                ask(",\"max_completion_tokens\":400,\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{"
                        + "\"schema\":{\"enum\":[\"one\",\"two\"]}}}");
        assertTrue(json.at("/choices/0/message/content").asText().matches("\"(one|two)\""), json.toString());
        assertEquals(
                30, json.at("/usage/completion_tokens_details/reasoning_tokens").intValue());
        String tools = ",\"max_completion_tokens\":400,\"tool_choice\":\"required\",\"tools\":[{\"type\":\"function\","
            + "\"function\":{\"name\":\"f\",\"parameters\":{\"type\":\"object\",\"properties\":{\"a\":{\"enum\":[1]}},"
            + "\"required\":[\"a\"]}}}]";
        JsonNode called = ask(tools).at("/choices/0");
        assertEquals("f", called.at("/message/tool_calls/0/function/name").asText());
        assertFalse(called.at("/message/reasoning_content").asText().isEmpty());
        assertEquals("tool_calls", called.path("finish_reason").asText());
    }

    @Test
    void thoughtsThatComeBackAreNotRead() throws Exception {
        String talk = "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",%s},"
                + "{\"role\":\"user\",\"content\":\"b\"}],\"max_tokens\":1}";
        int plain = promptTokens(talk.formatted("\"content\":\"x\""));
        assertEquals(plain, promptTokens(talk.formatted("\"content\":\"x\",\"reasoning_content\":\"long\"")));
        assertEquals(
                promptTokens(talk.formatted("\"content\":\"\"")),
                promptTokens(talk.formatted("\"content\":null,\"reasoning_content\":\"long\"")));
        assertEquals(400, served.post(CHAT, talk.formatted("\"content\":null")).statusCode());
    }

    private static int promptTokens(String body) throws IOException, InterruptedException {
        HttpResponse<String> response = served.post(CHAT, body);
        assertEquals(200, response.statusCode(), response.body());
        return MAPPER.readTree(response.body()).at("/usage/prompt_tokens").intValue();
    }

    @Test
    void langchain4jFindsThem() throws Exception {
        AiMessage message = OpenAiChatModel.builder()
                .baseUrl(served.url() + "/v1")
                .apiKey("none")
                .modelName("tiny")
                .temperature(0.0)
                .maxTokens(60)
                .returnThinking(true)
                .build()
                .chat(UserMessage.from("hello"))
                .aiMessage();
        JsonNode direct = ask("").at("/choices/0/message");
        assertEquals(direct.path("reasoning_content").asText(), message.thinking());
        assertEquals(direct.path("content").asText(), message.text());
    }
}
