// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Level;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.By;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.logging.LogType;

/** The pages in a real Chromium; skipped where there is none. */
@Tag("slow")
class ReportInBrowserTest {
    private static final Path BROWSER = Path.of("/usr/bin/chromium");
    private static final Path DRIVER = Path.of("/usr/bin/chromedriver");
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final String HOSTILE = "</script><img src=x onerror=\"document.title='hacked'\">";

    @TempDir
    private Path directory;

    private static ChromeDriver browser;

    @BeforeAll
    static void start() {
        assumeTrue(
                Files.isExecutable(BROWSER) && Files.isExecutable(DRIVER), "there is no Chromium and no ChromeDriver");
        ChromeOptions options = new ChromeOptions();
        options.setBinary(BROWSER.toFile());
        options.addArguments(
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
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
    }

    private static WebElement at(String selector) {
        return browser.findElement(By.cssSelector(selector));
    }

    private static void awaitCount(String count) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!count.equals(at("output").getText())) {
            assertTrue(System.nanoTime() < deadline, at("output").getText());
            Thread.onSpinWait();
        }
    }

    private static void assertNoComplaint() {
        assertEquals(
                List.of(),
                browser.manage().logs().get(LogType.BROWSER).getAll().stream()
                        .filter(entry -> entry.getLevel().intValue() >= Level.WARNING.intValue())
                        .toList());
    }

    /** Of every second document the answer is wrong. */
    private Path run(String name, int shift) throws Exception {
        List<ObjectNode> samples = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            String subject = i < 60 ? "anatomy" : "农学";
            samples.add(Runs.choice("mmlu", subject, i, "Question " + i + HOSTILE, 1, (i + shift) % 2));
        }
        return Runs.write(directory.resolve(name), name, "mmlu", samples);
    }

    @Test
    void samplesAreFoundAndShownAsText() throws Exception {
        Path page = directory.resolve("page.html");
        ReportPage.of(run("run", 0)).write(page);
        browser.get(page.toUri().toString());
        awaitCount("100 samples");
        assertEquals(25, browser.findElements(By.cssSelector(".sample")).size());
        at("select[name=kind] option[value=WRONG]").click();
        awaitCount("50 samples");
        at("#samples button").click();
        assertEquals(50, browser.findElements(By.cssSelector(".sample")).size());
        assertFalse(at("#samples button").isDisplayed());
        at("select[name=subtask] option[value='mmlu / 农学']").click();
        awaitCount("20 samples");
        at("input[type=search]").sendKeys("question 62");
        awaitCount("1 sample");
        at(".sample summary").click();
        assertEquals("Question 62" + HOSTILE, at(".sample pre").getText());
        assertTrue(
                at(".sample table").getText().contains("A -1.2500 chosen\n B -3.5000 right\n"),
                at(".sample").getText());
        assertEquals("Evaluation: run", browser.getTitle());
        assertNoComplaint();
    }

    @Test
    void aComparisonShowsBothAnswers() throws Exception {
        Path page = directory.resolve("page.html");
        Comparison.of(run("a", 0), run("b", 1)).page().write(page);
        browser.get(page.toUri().toString());
        awaitCount("100 samples");
        at("select[name=kind] option[value=BETTER]").click();
        awaitCount("50 samples");
        assertEquals("better mmlu / anatomy #0 A → B", at(".sample summary").getText());
        at(".sample summary").click();
        String table = at(".sample table").getText();
        assertTrue(table.contains("A -1.2500 -2.5000 chosen A\n B -3.5000 -1.2500 right, chosen B\n"), table);
        assertNoComplaint();
    }
}
