// SPDX-License-Identifier: Apache-2.0
// Shows the samples that are asked for, some at a time. Well-formed as XML, too: no ampersand, no less-than sign.
const source = document.getElementById('data');
if (source) {
  const AT_A_TIME = 25;
  const KINDS = {
    WRONG: ['wrong', 'c1'], PARTLY: ['partly right', 'c6'], RIGHT: ['right', 'c2'], UNSCORED: ['not scored', 'c7'],
    WORSE: ['worse', 'c1'], BETTER: ['better', 'c2'], OTHER: ['other change', 'c7'],
  };
  const data = JSON.parse(source.textContent);
  const all = data.tasks.flatMap(task => task.samples.map(sample => ({...sample, task: task.task, prefix: task.prefixes[sample.part] || ''})));
  const compared = data.runs.length > 0;
  const marks = ['A', 'B'];

  const element = (tag, text, css) => {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (css) made.className = css;
    return made;
  };
  const distinct = values => Array.from(new Set(values));
  const select = (name, options) => {
    const made = element('select');
    made.name = name;
    made.setAttribute('aria-label', name);
    made.append(new Option('every ' + name, ''), ...options.map(([value, text]) => new Option(text, value)));
    return made;
  };
  const place = sample => sample.task === sample.part ? sample.task : sample.task + ' / ' + sample.part;
  const folded = new Map();
  const searched = sample => {
    if (!folded.has(sample)) {
      const answers = sample.answers.map(answer => answer.response || '').join('\n');
      folded.set(sample, [sample.prompt, (sample.options || []).join('\n'), sample.gold || '', answers].join('\n').toLowerCase());
    }
    return folded.get(sample);
  };

  const find = element('form', undefined, 'find');
  const kind = select('kind', distinct(all.map(s => s.kind)).map(k => [k, KINDS[k][0]]));
  const part = select('subtask', distinct(all.map(place)).map(p => [p, p]));
  const words = element('input');
  words.type = 'search';
  words.placeholder = 'Search in questions and answers';
  words.setAttribute('aria-label', words.placeholder);
  const count = element('output');
  find.append(kind, part, words, count);
  const list = element('div', undefined, 'list');
  const more = element('button', 'Show more');
  more.type = 'button';
  source.after(find, list, more);

  const short = text => text.length > 80 ? text.slice(0, 80) + '…' : text;
  const said = (sample, answer) => {
    if (sample.options) return sample.options[answer.choice] || '';
    const found = distinct(Object.values(answer.extracted || {}));
    return found.length > 0 ? found.join(' | ') : answer.response || '';
  };
  const cell = (text, css) => element('td', text, css);
  const headed = headings => {
    const table = element('table');
    const row = element('tr');
    row.append(...headings.map(h => element('th', h)));
    table.append(element('thead'), element('tbody'));
    table.tHead.append(row);
    return table;
  };
  const options = sample => {
    const several = sample.answers.length > 1;
    const of = i => several ? ' ' + marks[i] : '';
    const table = headed(['Answer', ...sample.answers.map((a, i) => 'Log-likelihood' + of(i)), '']);
    sample.options.forEach((option, number) => {
      const row = element('tr');
      row.append(cell(option), ...sample.answers.map(a => cell(((a.loglikelihoods || [])[number] || 0).toFixed(4), 'number')));
      const notes = sample.right.includes(number) ? ['right'] : [];
      sample.answers.forEach((answer, i) => {
        if (answer.choice === number) notes.push('chosen' + of(i));
        if ('acc_norm,none' in answer.metrics) {
          if (answer.choice_norm === number) notes.push('chosen by character' + of(i));
        }
      });
      row.append(cell(notes.join(', ')));
      table.tBodies[0].append(row);
    });
    return table;
  };
  const block = (body, heading, text) => body.append(element('h3', heading), element('pre', text));
  const fill = (body, sample) => {
    if (sample.prefix) {
      const shared = element('details');
      shared.append(element('summary', 'What all prompts of this subtask begin with'), element('pre', sample.prefix));
      body.append(shared);
    }
    block(body, 'Prompt', sample.prompt);
    body.lastChild.scrollTop = body.lastChild.scrollHeight; // the question stands behind the examples
    if (sample.options) {
      body.append(options(sample));
    }
    sample.answers.forEach((answer, i) => {
      const of = compared ? ' of ' + marks[i] : '';
      if (answer.response !== undefined) {
        block(body, 'Response' + of, answer.response);
        const table = headed(['Filter', 'Read out of it']);
        Object.entries(answer.extracted || {}).forEach(([filter, text]) => {
          const row = element('tr');
          row.append(cell(filter), cell(text));
          table.tBodies[0].append(row);
        });
        body.append(table);
      }
      const scores = Object.entries(answer.metrics).map(([key, value]) => key + ' ' + (value === null ? 'not determined' : value));
      body.append(element('h3', 'Scores' + of + ': ' + scores.join('; ')));
    });
    if (sample.gold !== undefined) block(body, 'Right answer', sample.gold);
  };
  const show = sample => {
    const details = element('details', undefined, 'sample');
    const summary = element('summary');
    const [name, color] = KINDS[sample.kind];
    const answers = sample.answers.map(answer => short(said(sample, answer))).join(' → ');
    summary.append(element('span', name, 'kind ' + color), ' ' + place(sample) + ' #' + sample.id + ' ', element('span', answers, 'said'));
    details.append(summary);
    details.addEventListener('toggle', () => {
      if (details.childElementCount === 1) fill(details, sample);
    });
    return details;
  };

  let matching = [];
  const add = () => {
    const shown = list.childElementCount;
    list.append(...matching.slice(shown, shown + AT_A_TIME).map(show));
    more.hidden = list.childElementCount >= matching.length;
  };
  const search = () => {
    const wanted = words.value.toLowerCase();
    matching = all
      .filter(s => kind.value === '' || s.kind === kind.value)
      .filter(s => part.value === '' || place(s) === part.value)
      .filter(s => wanted === '' || searched(s).includes(wanted));
    count.textContent = matching.length.toLocaleString('en') + (matching.length === 1 ? ' sample' : ' samples');
    list.replaceChildren();
    add();
  };
  let typing;
  words.addEventListener('input', () => {
    clearTimeout(typing);
    typing = setTimeout(search, 200);
  });
  kind.addEventListener('change', search);
  part.addEventListener('change', search);
  find.addEventListener('submit', event => event.preventDefault());
  more.addEventListener('click', add);
  search();
}
