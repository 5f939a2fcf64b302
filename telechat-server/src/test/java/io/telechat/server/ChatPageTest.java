// SPDX-License-Identifier: Apache-2.0
package io.telechat.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.logging.Level;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.logging.LogType;

/** The chat page in a real Chromium; skipped where there is none. */
@Tag("slow")
class ChatPageTest {
    private static final Path BROWSER = Path.of("/usr/bin/chromium");
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Path DRIVER = Path.of("/usr/bin/chromedriver");

    @TempDir
    static Path directory;

    private static Served served;
    private static ChromeDriver browser;

    @BeforeAll
    static void start() throws IOException {
        assumeTrue(
                Files.isExecutable(BROWSER) && Files.isExecutable(DRIVER), "there is no Chromium and no ChromeDriver");
        served = new Served(directory, List.of());
        ChromeOptions options = new ChromeOptions();
        options.setBinary(BROWSER.toFile());
        options.addArguments(
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--lang=en",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--window-size=1000,800");
        ChromeDriverService service = new ChromeDriverService.Builder()
                .usingDriverExecutable(new File(DRIVER.toString()))
                .build();
        browser = new ChromeDriver(service, options);
    }

    @AfterAll
    static void stop() {
        if (browser != null) {
            browser.quit();
        }
        if (served != null) {
            served.close();
        }
    }

    @BeforeEach
    void openEmpty() {
        browser.get(served.url());
        browser.executeScript("localStorage.clear(); localStorage.setItem('telechat.language', 'en')");
        browser.navigate().refresh();
    }

    private static WebElement at(String selector) {
        return browser.findElement(By.cssSelector(selector));
    }

    private static void await(String condition) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!Boolean.TRUE.equals(browser.executeScript("return " + condition))) {
            assertTrue(System.nanoTime() < deadline, condition);
            Thread.onSpinWait();
        }
    }

    private static void ask(String question) {
        at("#input").sendKeys(question, Keys.ENTER);
    }

    private static void set(String field, String value) {
        at("#open-settings").click();
        at("#" + field).sendKeys(value);
        at("#settings button[type=submit]").click();
    }

    private static void awaitAnswers(int count) {
        await("document.querySelectorAll('article.assistant .tools').length === " + count);
    }

    private static JsonNode chats() throws IOException {
        return new ObjectMapper()
                .readTree((String) browser.executeScript("return localStorage.getItem('telechat.chats')"));
    }

    @Test
    void anAnswerStreamsInAndIsThereAfterAReload() throws Exception {
        set("temperature", "0");
        set("max_tokens", "80");
        ask("hello");
        awaitAnswers(1);
        String answer = chats().at("/0/messages/1/content").textValue();
        JsonNode direct = new ObjectMapper()
                .readTree(served.post(
                                "/v1/chat/completions",
                                "{\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}],\"temperature\":0,\"max_tokens\":80}")
                        .body());
        assertEquals(direct.at("/choices/0/message/content").textValue(), answer);
        String shown = at("article.assistant .body").getText();
        browser.navigate().refresh();
        awaitAnswers(1);
        assertEquals(shown, at("article.assistant .body").getText());
        assertEquals("hello", at("#title").getText());
        assertEquals("hello", at("#list li[data-current] .open").getText());
    }

    @Test
    void stoppingEndsTheAnswerAndFreesTheServer() throws Exception {
        set("temperature", "0");
        set("max_tokens", "1900");
        // As soon as it can be stopped, faster than a driver could.
        browser.executeScript("const timer = setInterval(() => { const stop = document.getElementById('stop'); if"
                + " (!stop.hidden) { clearInterval(timer); stop.click(); } }, 5)");
        ask("tell me more");
        awaitAnswers(1);
        assertTrue(served.becomes("telechat_num_requests_running", 0));
        assertEquals("Stopped.", at("#status").getDomProperty("textContent"), chats().toString());
        assertTrue(at("#send").isDisplayed());
    }

    @Test
    void answersAreRegeneratedAndQuestionsEdited() throws Exception {
        set("max_tokens", "30");
        ask("first question");
        awaitAnswers(1);
        at("article.assistant .tools button:nth-child(2)").click();
        awaitAnswers(1);
        assertEquals(2, chats().at("/0/messages").size());
        ask("second question");
        awaitAnswers(2);
        at("article.user .tools button:nth-child(2)").click();
        at("article.user textarea").clear();
        at("article.user textarea").sendKeys("another question");
        at("article.user .tools button").click();
        awaitAnswers(1);
        assertEquals("another question", chats().at("/0/messages/0/content").textValue());
        assertEquals(2, chats().at("/0/messages").size(), "what came behind it is gone");
    }

    @Test
    void chatsAreKeptApart() throws Exception {
        set("max_tokens", "5");
        ask("one");
        awaitAnswers(1);
        at("#new").click();
        assertEquals(0, browser.findElements(By.cssSelector("article")).size());
        ask("two");
        awaitAnswers(1);
        assertEquals(2, chats().size());
        at("#list li:nth-child(2) .open").click();
        assertEquals("one", at("article.user .body").getText());
        at("#list li[data-current] .tool:last-child").click();
        browser.switchTo().alert().accept();
        assertEquals(1, chats().size());
    }

    @Test
    void nothingInAnAnswerBecomesPartOfThePage() {
        String attack =
                "<img src=x onerror=window.hacked=1> <script>window.hacked=1</script> [a](javascript:window.hacked=1)"
                        + " [b](data:text/html,<script>window.hacked=1</script>) ![c](x\" onerror=window.hacked=1) <b"
                        + " onclick=1>x</b>\\n"
                        + "\\n"
                        + "| <svg onload=window.hacked=1> | [d](vbscript:x) |\\n"
                        + "|---|---|\\n"
                        + "| <iframe src=x> | y |\\n"
                        + "\\n"
                        + "```<img src=x onerror=window.hacked=1>\\n"
                        + "<script>window.hacked=1</script>\\n"
                        + "```\\n"
                        + "\\n"
                        + "# <style>*{display:none}</style>\\n"
                        + "> <a href=x onmouseover=window.hacked=1>y</a>";
        browser.executeScript(
                "localStorage.setItem('telechat.chats', JSON.stringify([{id: 'x', title: arguments[0], system: '',"
                    + " messages: [{role: 'user', content: arguments[0]}, {role: 'assistant', content: arguments[0],"
                    + " error: arguments[0]}]}]))",
                attack.replace("\\n", "\n"));
        browser.navigate().refresh();
        awaitAnswers(1);
        assertEquals(null, browser.executeScript("return window.hacked"));
        assertEquals(
                0L,
                browser.executeScript(
                        "return document.querySelectorAll('main img, main script, main svg, main iframe, main"
                                + " style, main b, main [onerror], main [onclick], main [onload]').length"));
        assertEquals(
                0L,
                browser.executeScript("return [...document.querySelectorAll('main a')].filter(a =>"
                        + " !/^https?:|^mailto:/.test(a.href)).length"));
        assertTrue(at("article.assistant .body").getText().contains("onerror=window.hacked=1"), "it is shown as text");
    }

    @Test
    void markdownIsShownAsWhatItMeans() {
        String text = "# T\n\n"
                + "a **b** *c* `d` [e](https://example.org)\n\n"
                + "- one\n"
                + "  - two\n\n"
                + "1. x\n"
                + "2. y\n\n"
                + "```java\n"
                + "int i;\n"
                + "```\n\n"
                + "> q\n\n"
                + "| h | k |\n"
                + "|---|---|\n"
                + "| 1 | 2 |\n";
        browser.executeScript(
                "localStorage.setItem('telechat.chats', JSON.stringify([{id: 'x', title: '', system: '', messages:"
                        + " [{role: 'user', content: 'u'}, {role: 'assistant', content: arguments[0]}]}]))",
                text);
        browser.navigate().refresh();
        awaitAnswers(1);
        for (String selector : List.of(
                "h3",
                "strong",
                "em",
                "p code",
                "a[href='https://example.org']",
                "ul ul li",
                "ol li:nth-child(2)",
                "figure pre code",
                "blockquote p",
                "table thead th",
                "table tbody td")) {
            assertEquals(
                    1,
                    Math.min(
                            1,
                            browser.findElements(By.cssSelector("article.assistant .body " + selector))
                                    .size()),
                    selector);
        }
        assertEquals("java", at("figcaption span").getText());
    }

    @Test
    void thoughtsAreOpenWhileTheyComeAndFoldedThen(@TempDir Path other) throws Exception {
        try (Served thinking = Served.thinking(other)) {
            browser.get(thinking.url());
            set("temperature", "0");
            set("max_tokens", "60");
            // The page draws every so often; by this clock, with every token, however fast they come.
            browser.executeScript("let now = 0; performance.now = () => now += 1000");
            // What was added stays as it was, also where the answer has ended before anybody looks.
            browser.executeScript("window.seen = 0; new MutationObserver(records => records.forEach(record =>"
                + " record.addedNodes.forEach(node => { if (node.matches?.('details.thoughts[open]')) window.seen++;"
                + " }))).observe(document.getElementById('log'), {subtree: true, childList: true})");
            ask("hello");
            awaitAnswers(1);
            assertTrue((Long) browser.executeScript("return window.seen") > 0, "open while it streams");
            WebElement details = at("article.assistant details.thoughts");
            assertEquals(null, details.getDomAttribute("open"));
            JsonNode direct = new ObjectMapper()
                    .readTree(thinking.post(
                                    "/v1/chat/completions",
                                    "{\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}],\"temperature\":0,\"max_tokens\":60}")
                            .body());
            assertEquals(
                    direct.at("/choices/0/message/reasoning_content").textValue(),
                    at("article.assistant .thoughts div").getDomProperty("textContent"));
            assertEquals(
                    direct.at("/choices/0/message/content").textValue(),
                    chats().at("/0/messages/1/content").textValue());
            details.findElement(By.tagName("summary")).click();
            assertTrue(at("article.assistant .thoughts div").isDisplayed());
        }
    }

    @Test
    void anAnswerThatIsAllThoughtsSaysSo(@TempDir Path other) throws Exception {
        try (Served thinking = Served.thinking(other)) {
            browser.get(thinking.url());
            set("max_tokens", "10");
            ask("hello");
            awaitAnswers(1);
            assertTrue(at("article.assistant .cut").getText().contains("thoughts"));
        }
    }

    @Test
    void itSpeaksChineseAndKeepsToItsTheme() {
        at("#language").click();
        assertEquals("设置", at("#open-settings").getText());
        assertEquals("zh", at("html").getDomAttribute("lang"));
        at("#theme").click();
        String theme = at("html").getDomAttribute("data-theme");
        browser.navigate().refresh();
        assertEquals(theme, at("html").getDomAttribute("data-theme"));
        assertEquals("设置", at("#open-settings").getText());
    }

    @Test
    void everyControlHasANameAndNothingIsAskedOfOthers() {
        ask("x");
        await("document.querySelectorAll('article').length > 0");
        assertEquals(
                List.of(),
                browser.executeScript(
                        "return [...document.querySelectorAll('button, input, textarea, select')].filter(e =>"
                            + " !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length)).map(e =>"
                            + " e.outerHTML)"));
        assertEquals(
                List.of(),
                browser.executeScript("return performance.getEntriesByType('resource').map(r => r.name).filter(n =>"
                        + " !n.startsWith(location.origin))"));
        assertEquals(
                List.of(),
                browser.manage().logs().get(LogType.BROWSER).getAll().stream()
                        .filter(e -> e.getLevel().intValue() >= Level.SEVERE.intValue())
                        .map(Object::toString)
                        .toList());
    }
}
