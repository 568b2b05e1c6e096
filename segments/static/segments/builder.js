// Builds the condition of a segment without code. The condition is plain data, kept as JSON in the form's text area; what
// there is to choose from comes with the page, and what a condition means and how many customers meet it from the server.
(() => {
  const PAUSE = 500; // ms after the last change, before the counts are asked for
  let ids = 0;

  /**
   * In the page a group is {id, mode, items}, a condition {id, type, values}; stored, {mode: [...]} and {type, ...values}.
   * What a value is depends on the condition's type.
   * @typedef {{id: number, mode: string, items: TreeNode[]}} Group
   * @typedef {{id: number, type: string, values: Record<string, any>}} Condition
   * @typedef {Group | Condition} TreeNode
   * @typedef {Record<string, any>} Stored
   * @typedef {{last_days?: number, earlier_than_days?: number, from?: string, to?: string}} Period
   *
   * What there is to choose from.
   * @typedef {[name: string, label: string]} Choice
   * @typedef {{name: string, label: string, input: string, options: Choice[], empty: string, optional?: boolean,
   *   min?: number, max?: number}} Field
   * @typedef {{name: string, label: string, group: string, fields: Field[]}} ConditionType
   * @typedef {{words: Record<string, string>, modes: Choice[], types: ConditionType[],
   *   customFields: Record<string, {type: string, asks: Choice[]}>}} Described
   *
   * What the server says of one node, and takes from an input.
   * @typedef {{sentence: string, count: number | null, faults: string[]}} Answer
   * @typedef {(value: any) => void} Taker
   * @typedef {Record<string, unknown>} Attributes
   */

  /** @type {(node: TreeNode) => node is Group} */
  const isGroup = (node) => "mode" in node;
  /**
   * @template {keyof HTMLElementTagNameMap} Name
   * @param {Name} name
   * @param {Attributes} attributes
   * @param {...(Node | string | null)} children
   */
  const element = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (value === true) made.setAttribute(key, "");
      else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, String(value));
    }
    made.append(...children.filter((child) => child !== null));
    return made;
  };
  /** @param {string} name */
  const icon = (name) => element("span", { class: "material-symbols-outlined", "aria-hidden": "true" }, name);

  /** @type {(data: Stored) => TreeNode} */
  const read = (data) => {
    ids += 1;
    const mode = ["all", "any", "none"].find((name) => Array.isArray(data[name]));
    if (mode) return { id: ids, mode, items: data[mode].map(read) };
    const { type, ...values } = data;
    return { id: ids, type, values };
  };
  /** @type {(node: TreeNode) => Stored} */
  const written = (node) => {
    if (isGroup(node)) return { [node.mode]: node.items.map(written) };
    const values = Object.fromEntries(Object.entries(node.values).filter(([, value]) => value !== undefined && value !== null));
    return { type: node.type, ...values };
  };
  /** @type {(node: TreeNode) => TreeNode[]} */
  const all = (node) => [node, ...(isGroup(node) ? node.items.flatMap(all) : [])];

  class Builder {
    /** @param {HTMLElement} root */
    constructor(root) {
      this.root = root;
      this.area = /** @type {HTMLTextAreaElement} */ (root.querySelector("textarea"));
      const described = /** @type {HTMLElement} */ (document.getElementById(root.dataset.types ?? ""));
      /** @type {Described} */
      this.described = JSON.parse(described.textContent ?? "");
      this.words = this.described.words;
      this.types = Object.fromEntries(this.described.types.map((type) => [type.name, type]));
      this.tree = this.start();
      /** @type {Map<number, HTMLElement>} */
      this.told = new Map(); // what stands below each condition, by its id
      this.place = element("div");
      this.total = element("strong");
      this.totalNote = element("span", { class: "sf-soft" });
      this.timer = 0;
      /** @type {AbortController | null} */
      this.asking = null;
      root.append(this.place);
      root.classList.add("cb-ready");
      this.draw();
      this.changed(0);
    }

    /** The root is a group: the server stores no other. */
    start() {
      try {
        const { version: _version, ...data } = JSON.parse(this.area.value || "null") || {};
        if (Object.keys(data).length) return /** @type {Group} */ (read(data));
      } catch {
        // What cannot be read is begun anew; the server said what is wrong with it.
      }
      return /** @type {Group} */ (read({ all: [] }));
    }

    // --- Drawing

    /** @param {number | null} focus */
    draw(focus = null) {
      this.told.clear();
      this.total.textContent = this.totalNote.textContent = "";
      const total = element("div", { class: "cb-total", role: "status", "aria-live": "polite" }, this.total, this.totalNote);
      this.place.replaceChildren(total, this.group(this.tree, null));
      /** @type {HTMLElement | null} */
      const focused = focus ? this.place.querySelector(`[data-node="${focus}"] select`) : null;
      focused?.focus();
    }

    /**
     * @param {Group} node
     * @param {Group | null} parent
     * @returns {HTMLElement}
     */
    group(node, parent) {
      const items = element("div", { class: "cb-items" }, ...node.items.map((item) => this.node(item, node)));
      const mode = this.select(this.described.modes, node.mode, (value) => { node.mode = value; });
      const add = this.button("add", this.words.addCondition, () => this.add(node, { type: "contact", contact: "email", state: "held" }));
      const addGroup = this.button("library_add", this.words.addGroup, () => this.add(node, { any: [{ type: "identified" }] }));
      return element(
        "div",
        { class: "cb-group", role: "group", "aria-label": this.words.group, "data-node": node.id },
        element("div", { class: "cb-row" }, this.field("mode", this.words.mode, mode), parent && this.remover(node, parent, this.words.removeGroup)),
        items,
        element("div", { class: "cb-tools" }, add, addGroup),
        this.below(node),
      );
    }

    /**
     * @param {TreeNode} item
     * @param {Group} parent
     */
    node(item, parent) {
      return isGroup(item) ? this.group(item, parent) : this.condition(item, parent);
    }

    /**
     * @param {Condition} node
     * @param {Group} parent
     */
    condition(node, parent) {
      const fields = (this.types[node.type]?.fields ?? []).filter((field) => !this.needsNone(node, field));
      const inputs = fields.map((field) => this.field(field.name, field.label, this.input(node, field)));
      return element(
        "div",
        { class: "cb-condition", role: "group", "aria-label": this.words.condition, "data-node": node.id },
        element(
          "div",
          { class: "cb-row" },
          this.field("type", this.words.condition, this.typeSelect(node)),
          ...inputs,
          this.remover(node, parent, this.words.removeCondition),
        ),
        this.below(node),
      );
    }

    /**
     * @param {Condition} node
     * @param {Field} field
     */
    needsNone(node, field) {
      return node.type === "custom_field" && field.name === "value" && (node.values.op ?? "known") === "known";
    }

    /** @param {TreeNode} node */
    below(node) {
      const told = element("p", { class: "cb-told", id: `cb-told-${node.id}` });
      this.told.set(node.id, told);
      return told;
    }

    // What consists of several inputs is a group of its own, in which each has its own name.
    /**
     * @param {string} name
     * @param {string} label
     * @param {HTMLElement} input
     */
    field(name, label, input) {
      if (!input.matches("select, input")) {
        input.setAttribute("role", "group");
        input.setAttribute("aria-label", label);
        return element("div", { class: "cb-field", "data-field": name }, element("span", { class: "cb-label" }, label), input);
      }
      ids += 1;
      input.id = `cb-input-${ids}`;
      return element("div", { class: "cb-field", "data-field": name }, element("label", { class: "cb-label", for: input.id }, label), input);
    }

    /** @param {Condition} node */
    typeSelect(node) {
      /** @type {Map<string, ConditionType[]>} */
      const groups = new Map();
      for (const type of this.described.types) groups.set(type.group, [...(groups.get(type.group) ?? []), type]);
      const options = [...groups].map(([label, types]) =>
        element("optgroup", { label }, ...types.map((type) => element("option", { value: type.name, selected: type.name === node.type }, type.label))),
      );
      const select = element("select", { class: "cb-input" }, ...options);
      select.addEventListener("change", () => {
        node.type = select.value;
        node.values = this.initial(select.value);
        this.draw(node.id);
        this.changed();
      });
      return select;
    }

    /** @param {string} type */
    initial(type) {
      /** @type {Record<string, unknown>} */
      const values = {};
      for (const field of this.types[type].fields) {
        if (field.optional) continue;
        if (field.input === "choice") values[field.name] = field.options[0][0];
        if (field.input === "whole" || field.input === "amount") values[field.name] = Math.max(1, field.min ?? 1);
        if (field.input === "period") values[field.name] = { last_days: 30 };
        if (field.input === "reference") values[field.name] = field.options[0]?.[0] ?? "";
      }
      return values;
    }

    // --- Inputs, one for each kind of field

    /**
     * @param {Condition} node
     * @param {Field} field
     */
    input(node, field) {
      /** @type {Taker} */
      const set = (value) => { node.values[field.name] = value; };
      const value = node.values[field.name];
      if (node.type === "custom_field" && field.name !== "field") return this.customInput(node, field, set);
      switch (field.input) {
        case "choice": return this.select(field.optional ? [["", this.words.any], ...field.options] : field.options, value ?? "", (v) => set(v || undefined));
        case "reference": return this.reference(node, field, set);
        case "whole": return this.number(value, set, { min: field.min, max: field.max, step: 1 });
        case "amount": return this.number(value, set, { step: "any" });
        case "topic": return this.topic(value, set);
        case "period": return this.period(value, set, field.optional);
        default: return this.text(value, (v) => set(v || undefined), { placeholder: field.optional ? this.words.any : null });
      }
    }

    /**
     * @param {Choice[]} options
     * @param {string} value
     * @param {Taker} set
     */
    select(options, value, set) {
      const select = element("select", { class: "cb-input" }, ...options.map(([name, label]) => element("option", { value: name, selected: name === value }, label)));
      select.addEventListener("change", () => { set(select.value); this.changed(); });
      return select;
    }

    /**
     * @param {Condition} node
     * @param {Field} field
     * @param {Taker} set
     */
    reference(node, field, set) {
      const value = node.values[field.name] ?? "";
      const known = field.options.some(([name]) => name === value);
      /** @type {Choice[]} */
      const gone = value && !known ? [[value, `${value} ${this.words.deleted}`]] : [];
      /** @type {Choice[]} */
      const none = value ? [] : [["", field.empty]];
      return this.select([...none, ...gone, ...field.options], value, (v) => {
        set(v);
        if (node.type !== "custom_field") return;
        node.values.op = "known";
        delete node.values.value;
        this.draw(node.id);
      });
    }

    /**
     * @param {Condition} node
     * @param {Field} field
     * @param {Taker} set
     */
    customInput(node, field, set) {
      const { type, asks } = this.described.customFields[node.values.field] ?? { type: "string", asks: [] };
      if (field.name === "op") {
        const op = asks.some(([name]) => name === node.values.op) ? node.values.op : "known";
        node.values.op = op;
        return this.select(asks.length ? asks : [["known", op]], op, (v) => {
          set(v);
          if (v === "known") delete node.values.value;
          else if (type === "boolean") node.values.value ??= true;
          this.draw(node.id);
        });
      }
      return this.customValue(type, node.values.value, set);
    }

    /**
     * @param {string} type
     * @param {any} value
     * @param {Taker} set
     */
    customValue(type, value, set) {
      switch (type) {
        case "boolean": return this.select([["true", this.words.yes], ["false", this.words.no]], String(value ?? true), (v) => set(v === "true"));
        case "integer": return this.number(value, set, { step: 1 });
        case "decimal": return this.number(value, set, { step: "any" });
        case "date": return this.text(value, set, { type: "date" });
        case "datetime": return this.text(String(value ?? "").slice(0, 16), (v) => set(v ? `${v}:00Z` : undefined), { type: "datetime-local", title: this.words.utc });
        default: return this.text(value, (v) => set(v || undefined));
      }
    }

    /**
     * @param {string | undefined} value
     * @param {Taker} set
     * @param {Attributes} attributes
     */
    text(value, set, attributes = {}) {
      const input = element("input", { class: "cb-input", type: "text", maxlength: 255, value: value ?? "", ...attributes });
      input.addEventListener("input", () => { set(input.value); this.changed(); });
      return input;
    }

    /**
     * @param {number | undefined} value
     * @param {Taker} set
     * @param {Attributes} attributes
     */
    number(value, set, attributes) {
      const input = element("input", { class: "cb-input", type: "number", value: value ?? "", ...attributes });
      input.addEventListener("input", () => { set(input.value === "" ? undefined : Number(input.value)); this.changed(); });
      return input;
    }

    /**
     * @param {string | undefined} value
     * @param {Taker} set
     */
    topic(value, set) {
      const kind = value === undefined ? "any" : value === "" ? "none" : "this";
      const name = this.text(value, set, { "aria-label": this.words.topicName });
      name.hidden = kind !== "this";
      const which = this.select([["any", this.words.anyTopic], ["none", this.words.noTopic], ["this", this.words.thisTopic]], kind, (v) => {
        name.hidden = v !== "this";
        set(v === "none" ? "" : v === "this" ? name.value || undefined : undefined);
      });
      which.setAttribute("aria-label", this.words.anyTopic);
      return element("div", { class: "cb-period" }, which, name);
    }

    /**
     * @param {Period | undefined} value
     * @param {Taker} set
     * @param {boolean | undefined} isOptional
     */
    period(value, set, isOptional) {
      const kind = !value ? "any" : "last_days" in value ? "last_days" : "earlier_than_days" in value ? "earlier_than_days" : "between";
      const days = this.number(value?.last_days ?? value?.earlier_than_days ?? 30, () => say(), { min: 1, max: 36500, step: 1, "aria-label": this.words.days });
      days.classList.add("cb-short");
      const from = this.text(value?.from, () => say(), { type: "date", "aria-label": this.words.from });
      const to = this.text(value?.to, () => say(), { type: "date", "aria-label": this.words.to });
      /** @type {Choice[]} */
      const options = [["last_days", this.words.lastDays], ["earlier_than_days", this.words.earlierThanDays], ["between", this.words.between]];
      const which = this.select(isOptional ? [["any", this.words.anyTime], ...options] : options, kind, () => { show(); say(); });
      which.setAttribute("aria-label", this.words.anyTime);
      const show = () => {
        days.hidden = !which.value.endsWith("_days");
        from.hidden = to.hidden = which.value !== "between";
      };
      const say = () => {
        const between = { ...(from.value && { from: from.value }), ...(to.value && { to: to.value }) };
        if (which.value === "any") set(undefined);
        else set(which.value === "between" ? between : { [which.value]: days.value === "" ? null : Number(days.value) });
      };
      show();
      return element("div", { class: "cb-period" }, which, days, from, to);
    }

    // --- Changing the tree

    /**
     * @param {string} name
     * @param {string} label
     * @param {() => void} work
     */
    button(name, label, work) {
      const button = element("button", { type: "button", class: "cb-button", "data-action": name }, icon(name), label);
      button.addEventListener("click", work);
      return button;
    }

    /**
     * @param {TreeNode} node
     * @param {Group} parent
     * @param {string} label
     */
    remover(node, parent, label) {
      const button = element("button", { type: "button", class: "cb-button cb-remove", "data-action": "delete", "aria-label": label, title: label }, icon("delete"));
      button.addEventListener("click", () => {
        parent.items = parent.items.filter((item) => item !== node);
        this.draw(parent.id);
        this.changed();
      });
      return button;
    }

    /**
     * @param {Group} group
     * @param {Stored} data
     */
    add(group, data) {
      const node = read(data);
      group.items.push(node);
      this.draw(node.id);
      this.changed();
    }

    // --- What it means, and how many meet it

    changed(pause = PAUSE) {
      this.area.value = this.tree.items.length ? JSON.stringify({ version: 1, ...written(this.tree) }) : "";
      window.clearTimeout(this.timer);
      this.asking?.abort();
      this.root.setAttribute("aria-busy", "true");
      if (!this.tree.items.length) {
        this.say({ nodes: [], slow: false }, []);
        return;
      }
      this.total.textContent = this.words.counting;
      this.timer = window.setTimeout(() => this.ask(), pause);
    }

    async ask() {
      const nodes = all(this.tree);
      this.asking = new AbortController();
      try {
        const token = this.root.closest("form")?.elements.namedItem("csrfmiddlewaretoken");
        const response = await fetch(this.root.dataset.count ?? "", {
          method: "POST",
          headers: { "Content-Type": "application/json", "X-CSRFToken": /** @type {HTMLInputElement} */ (token).value },
          body: JSON.stringify({ nodes: nodes.map(written) }),
          signal: this.asking.signal,
        });
        if (!response.ok) throw new Error(response.statusText);
        this.say(await response.json(), nodes);
      } catch (error) {
        if (error instanceof DOMException && error.name === "AbortError") return;
        this.root.setAttribute("aria-busy", "false");
        this.total.textContent = this.words.failed;
      }
    }

    /**
     * @param {{nodes: Answer[], slow: boolean}} said
     * @param {TreeNode[]} nodes
     */
    say({ nodes: answers, slow }, nodes) {
      this.root.setAttribute("aria-busy", "false");
      for (const told of this.told.values()) told.replaceChildren();
      nodes.forEach((node, number) => this.tell(node, answers[number]));
      const [whole] = answers;
      this.total.dataset.count = String(whole?.count ?? "");
      this.totalNote.textContent = slow ? this.words.slow : "";
      if (!whole) this.total.textContent = this.words.noCondition;
      else if (whole.count !== null) this.total.textContent = this.customers(whole.count, this.words.totalOne, this.words.totalMany);
      else this.total.textContent = slow ? "" : this.words.incomplete;
    }

    // A group that holds a fault repeats it for each of its conditions; those say it themselves.
    /**
     * @param {TreeNode} node
     * @param {Answer} answer
     */
    tell(node, { sentence, count, faults }) {
      const told = this.told.get(node.id);
      if (!told) return;
      const own = isGroup(node) && node.items.length ? [] : faults;
      if (sentence) told.append(element("span", {}, sentence));
      if (count !== null) told.append(element("span", { class: "cb-count", "data-count": count }, this.customers(count)));
      told.append(...own.map((fault) => element("span", { class: "cb-fault" }, fault)));
      for (const input of this.place.querySelectorAll(`[data-node="${node.id}"] > .cb-row .cb-input`)) {
        input.setAttribute("aria-describedby", told.id);
        input.setAttribute("aria-invalid", String(own.length > 0));
      }
    }

    /** @param {number} count */
    customers(count, one = this.words.one, many = this.words.many) {
      return count === 1 ? one : many.replace("%s", count.toLocaleString(document.documentElement.lang || undefined));
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    /** @type {NodeListOf<HTMLElement>} */
    const roots = document.querySelectorAll("[data-builder]");
    for (const root of roots) new Builder(root);
  });
})();
