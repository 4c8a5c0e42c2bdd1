// Drives @stoqey/ib (npm) as its users do, by the requests and events of IBApi: commands come on stdin, one line of
// JSON each, what it saw leaves on stdout in the words of neutral.py.
//
//     node stoqey.mjs FOLDER        FOLDER holds node_modules with @stoqey/ib

import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";

const require = createRequire(join(process.argv[2], "anchor.js"));
const { IBApi, EventName, ScanCode } = require("@stoqey/ib");
const conditions = join(process.argv[2], "node_modules/@stoqey/ib/dist/api/order/condition");
const condition = (name) => Object.values(require(join(conditions, `${name}-condition.js`)))[0];

const LARGEST = 1e30;
const TICKS = {
  0: "bidSize", 1: "bid", 2: "ask", 3: "askSize", 4: "last", 5: "lastSize", 6: "high", 7: "low", 8: "volume",
  9: "close", 14: "open", 21: "avVolume", 23: "histVolatility", 24: "impliedVolatility", 27: "callOpenInterest",
  28: "putOpenInterest", 29: "callVolume", 30: "putVolume", 37: "markPrice", 45: "lastTime", 46: "shortable",
  48: "rtVolume", 49: "halted", 54: "tradeCount", 89: "shortableShares",
};
const DELAYED = { 66: 1, 67: 2, 68: 4, 69: 0, 70: 3, 71: 5, 72: 6, 73: 7, 74: 8, 75: 9, 76: 14, 88: 45, 90: 49 };
const GREEKS = { 10: "bid", 11: "ask", 12: "last", 13: "model", 80: "bid", 81: "ask", 82: "last", 83: "model" };
const CONDITIONS = { 1: "price", 3: "time", 4: "margin", 5: "execution", 6: "volume", 7: "percentchange" };
const CONTRACT = ["conId", "symbol", "secType", "exchange", "currency", "localSymbol", "tradingClass"];
const ORDER = [
  "orderId", "clientId", "permId", "parentId", "action", "totalQuantity", "orderType", "lmtPrice", "auxPrice",
  "tif", "ocaGroup", "ocaType", "orderRef", "account", "outsideRth", "hidden", "goodAfterTime", "goodTillDate",
  "trailStopPrice", "trailingPercent", "minQty", "displaySize", "allOrNone", "sweepToFill",
  "discretionaryAmt", "triggerMethod", "algoStrategy", "cashQty", "transmit", "adjustedOrderType",
  "triggerPrice", "adjustedStopPrice", "hedgeType",
];
const EXECUTION = [
  "execId", "time", "acctNumber", "side", "shares", "price", "permId", "clientId", "orderId", "cumQty",
  "avgPrice", "orderRef", "exchange",
];
const MARGINS = [
  "initMarginBefore", "maintMarginBefore", "equityWithLoanBefore", "initMarginChange", "maintMarginChange",
  "equityWithLoanChange", "initMarginAfter", "maintMarginAfter", "equityWithLoanAfter",
];

function plain(value) {
  if (typeof value === "number") {
    const unset = Number.isNaN(value) || Math.abs(value) > LARGEST || value === 2147483647 || value === 2 ** 63;
    return unset ? null : value;
  }
  if (value === undefined || value === null || value === "") return null;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
  }
  return value;
}

const number = (text) => (text === undefined || text === null || text === "" ? null : plain(Number(text)));
const pick = (names, from) => plain(Object.fromEntries(names.map((name) => [name, from[name]])));
const tickName = (kind) => TICKS[DELAYED[kind] ?? kind] ?? `tick${kind}`;

function contractRow(contract) {
  const row = pick(CONTRACT, contract);
  row.expiry = plain((contract.lastTradeDateOrContractMonth ?? "").split(" ")[0].split("-")[0]);
  row.strike = number(contract.strike) || null;
  row.right = { CALL: "C", PUT: "P", C: "C", P: "P" }[contract.right] ?? null;
  row.multiplier = number(contract.multiplier) || null;
  row.primaryExchange = plain(contract.primaryExch);
  row.legs = (contract.comboLegs ?? []).map((leg) => [leg.conId, leg.ratio, leg.action, leg.exchange]);
  return row;
}

function orderRow(order) {
  return { ...pick(ORDER, order), conditions: (order.conditions ?? []).map(conditionRow) };
}

function conditionRow(one) {
  const kind = CONDITIONS[one.type];
  if (kind === "execution") return [kind, one.secType, one.symbol];
  const value = { price: one.price, time: one.time, margin: one.percent, volume: one.volume }[kind] ?? one.percent;
  const row = [kind, Boolean(one.isMore), plain(value)];
  return ["price", "volume", "percentchange"].includes(kind) ? [...row, one.conId] : row;
}

function stateRow(state) {
  return {
    ...Object.fromEntries(MARGINS.map((name) => [name, number(state[name])])),
    ...pick(["status", "commission", "completedStatus", "completedTime"], state),
    warning: plain(state.warningText),
  };
}

function detailsRow(found) {
  const names = [
    "minTick", "longName", "validExchanges", "marketRuleIds", "underConId", "contractMonth", "timeZoneId", "stockType",
  ];
  return { ...contractRow(found.contract), ...pick(names, found), hours: plain(found.liquidHours) };
}

class Session {
  constructor(name, { host, port, client_id: clientId }) {
    this.name = name;
    this.nextId = 0;
    this.version = 0;
    this.bars = new Map();
    this.rows = new Map();
    this.ib = new IBApi({ host, port });
    this.listen();
    this.ib.connect(clientId);
  }

  say(event, fields = {}) {
    process.stdout.write(`${JSON.stringify({ session: this.name, event, ...plain(fields) })}\n`);
  }

  on(name, translate) {
    if (EventName[name] === undefined) throw new Error(`no event ${name}`);
    this.ib.on(EventName[name], (...heard) => translate(...heard));
  }

  listen() {
    const say = this.say.bind(this);
    this.on("error", (error, code, req) => say("error", { req, code, text: error.message }));
    this.on("info", (text, code) => say("error", { req: -1, code, text }));
    this.on("disconnected", () => say("closed"));
    this.on("server", (version, time) => Object.assign(this, { version, time }));
    this.on("nextValidId", (id) => {
      if (!this.nextId) say("ready", { version: this.version, time: this.time });
      this.nextId = Math.max(this.nextId, id);
      say("next_id", { order_id: id });
    });
    this.on("managedAccounts", (text) => say("accounts", { accounts: text.split(",").filter(Boolean) }));
    this.on("currentTime", (epoch) => say("time", { epoch }));
    this.listenContracts(say);
    this.listenStreams(say);
    this.listenPast(say);
    this.listenAccounts(say);
    this.listenOrders(say);
    this.listenBeside(say);
  }

  // what is told beside the market: what of each answer is compared, as rows
  listenBeside(say) {
    const text = (_, one) => [[one]];
    const answers = {
      newsProviders: (rows) => rows.map((one) => [one.providerCode, one.providerName]),
      newsArticle: (_, kind, article) => [[kind, article]],
      fundamentalData: text,
      scannerParameters: (xml) => [[xml]],
      mktDepthExchanges: (rows) => rows.map((one) => [one.exchange, one.secType]),
      smartComponents: (_, rows) => [...rows].map(([bit, [exchange, letter]]) => [bit, exchange, letter]),
      familyCodes: (rows) => rows.map((one) => [one.accountID, one.familyCode]),
      userInfo: text,
      histogramData: (_, rows) => rows.map((one) => [one.price, one.size]),
      softDollarTiers: (_, rows) => rows.map((one) => [one.name, one.value]),
      receiveFA: (kind, xml) => [[kind, xml]],
      displayGroupList: text,
      wshMetaData: text,
      wshEventData: text,
      updateNewsBulletin: (_, kind, message, exchange) => [[kind, message, exchange]],
      replaceFAEnd: text,
      tickNews: (_, __, provider, article, headline) => [[provider, article, headline]],
    };
    for (const [kind, rows] of Object.entries(answers)) {
      this.on(kind, (...heard) => say("answer", { kind, rows: rows(...heard) }));
    }
    const gather = (req, row) => this.rows.set(req, [...(this.rows.get(req) ?? []), row]);
    const whole = (req, fields) => {
      say("answer", { rows: this.rows.get(req) ?? [], ...fields });
      this.rows.delete(req);
    };
    this.on("historicalNews", (req, _, provider, article, headline) => gather(req, [provider, article, headline]));
    this.on("historicalNewsEnd", (req, more) => whole(req, { kind: "historicalNews", more }));
    this.on("scannerData", (req, rank, { contract }) => gather(req, [rank, contract.conId, contract.symbol]));
    this.on("scannerDataEnd", (req) => whole(req, { kind: "scannerData" }));
  }

  listenContracts(say) {
    this.on("contractDetails", (req, found) => say("details", { req, ...detailsRow(found) }));
    this.on("bondContractDetails", (req, found) =>
      say("details", { req, ...detailsRow(found), coupon: found.coupon, maturity: found.maturity }));
    this.on("contractDetailsEnd", (req) => say("details_end", { req }));
    this.on("symbolSamples", (req, rows) => {
      const row = ({ contract }) => [contract.conId, contract.symbol, contract.secType, contract.currency];
      say("symbols", { req, rows: rows.map(row) });
    });
    this.on("securityDefinitionOptionParameter", (req, exchange, conId, tradingClass, multiplier, dates, strikes) => {
      const expirations = [...dates].sort();
      const sorted = [...strikes].sort((one, other) => one - other);
      const fields = { req, exchange, conId, tradingClass, expirations, strikes: sorted };
      say("chain", { ...fields, multiplier: number(multiplier) });
    });
    this.on("securityDefinitionOptionParameterEnd", (req) => say("chain_end", { req }));
    this.on("marketRule", (rule, rows) => say("rule", { rule, rows: rows.map((row) => [row.lowEdge, row.increment]) }));
  }

  listenStreams(say) {
    const quote = (req, kind, value) => say("quote", { req, field: tickName(kind), value });
    this.on("tickPrice", (req, kind, price) => quote(req, kind, price));
    this.on("tickSize", quote);
    this.on("tickGeneric", quote);
    this.on("tickString", (req, kind, value) => {
      if (kind !== 48) {
        quote(req, kind, kind === 45 ? number(value) : value);
        return;
      }
      const [price, size, , total] = value.split(";").map(number);
      say("trade_volume", { req, price, size, total });
    });
    this.on("tickOptionComputation", (req, kind, _, iv, delta, price, __, gamma, vega, theta, under) =>
      say("greeks", { req, of: GREEKS[kind], iv, delta, price, gamma, vega, theta, under }));
    this.on("tickReqParams", (req, min, bbo) => say("tick_params", { req, min_tick: min, bbo }));
    this.on("marketDataType", (req, kind) => say("data_type", { req, kind }));
    this.on("tickSnapshotEnd", (req) => say("snapshot_end", { req }));
    this.on("tickByTickAllLast", (req, kind, _, price, size) =>
      say("print", { req, kind: { 1: "Last", 2: "AllLast" }[kind], price, size }));
    this.on("tickByTickBidAsk", (req, _, bid, ask, bidSize, askSize) =>
      say("print", { req, kind: "BidAsk", bid, ask, bid_size: bidSize, ask_size: askSize }));
    this.on("tickByTickMidPoint", (req, _, price) => say("print", { req, kind: "MidPoint", price }));
    this.on("updateMktDepth", (req, position, operation, side, price, size) =>
      say("depth", { req, position, operation, side, price, size }));
    this.on("updateMktDepthL2", (req, position, _, operation, side, price, size) =>
      say("depth", { req, position, operation, side, price, size }));
    this.on("realtimeBar", (req, ...row) => say("live_bar", { req, row: row.slice(0, 6) }));
  }

  listenPast(say) {
    this.on("historicalData", (req, time, ...row) => {
      const rows = this.bars.get(req) ?? [];
      this.bars.set(req, rows);
      if (!String(time).startsWith("finished")) {
        rows.push([time, ...row.slice(0, 5)]);
        return;
      }
      this.bars.delete(req);
      say("bars", { req, rows });
    });
    this.on("historicalDataUpdate", (req, ...row) => say("bar_update", { req, row: row.slice(0, 6) }));
    this.on("historicalSchedule", (req, _, __, zone, sessions) => {
      const rows = sessions.map((one) => [one.refDate, one.startDateTime, one.endDateTime]);
      say("schedule", { req, zone, rows });
    });
    this.on("headTimestamp", (req, time) => say("head", { req, time }));
    const ticks = (...names) => (req, rows) => {
      say("past_ticks", { req, rows: rows.map((tick) => ["time", ...names].map((name) => tick[name])) });
    };
    this.on("historicalTicks", ticks("price"));
    this.on("historicalTicksBidAsk", ticks("priceBid", "priceAsk"));
    this.on("historicalTicksLast", ticks("price", "size"));
  }

  listenAccounts(say) {
    this.on("updateAccountValue", (key, value, currency, account) => say("value", { key, value, currency, account }));
    this.on("updatePortfolio", (contract, position, price, value, cost, unrealized, realized, account) =>
      say("portfolio", { conId: contract.conId, position, price, value, cost, unrealized, realized, account }));
    this.on("accountDownloadEnd", (account) => say("values_end", { account }));
    this.on("accountUpdateMulti", (req, account, _, key, value, currency) =>
      say("multi_value", { req, key, value, currency, account }));
    // the library leaves the number of this one as text
    this.on("accountUpdateMultiEnd", (req) => say("multi_values_end", { req: Number(req) }));
    this.on("accountSummary", (req, account, tag, value, currency) =>
      say("summary", { req, account, tag, value, currency }));
    this.on("accountSummaryEnd", (req) => say("summary_end", { req }));
    this.on("position", (account, contract, position, cost) =>
      say("position", { account, conId: contract.conId, position, cost }));
    this.on("positionEnd", () => say("positions_end"));
    this.on("positionMulti", (req, account, _, contract, position, cost) =>
      say("multi_position", { req, account, conId: contract.conId, position, cost }));
    this.on("positionMultiEnd", (req) => say("multi_positions_end", { req }));
    this.on("pnl", (req, daily, unrealized, realized) => say("pnl", { req, daily, unrealized, realized }));
    this.on("pnlSingle", (req, position, daily, unrealized, realized, value) =>
      say("pnl_single", { req, position, daily, unrealized, realized, value }));
  }

  listenOrders(say) {
    this.on("openOrder", (id, contract, order, state) => {
      const row = { contract: contractRow(contract), order: orderRow(order), state: stateRow(state) };
      say(order.whatIf ? "what_if" : "open_order", { order_id: id, ...row });
    });
    this.on("openOrderEnd", () => say("open_orders_end"));
    this.on("orderStatus", (id, status, filled, remaining, average, permId, parentId, last, clientId) => {
      const row = { order_id: id, status, filled, remaining, average };
      say("status", { ...row, perm_id: permId, client_id: clientId });
    });
    this.on("execDetails", (req, contract, execution) =>
      say("execution", { req, ...pick(EXECUTION, execution), conId: contract.conId }));
    this.on("execDetailsEnd", (req) => say("executions_end", { req }));
    this.on("commissionReport", (report) => {
      const { execId, commission, currency, realizedPNL } = report;
      say("commission", { execId, amount: commission, currency, realized: realizedPNL });
    });
    this.on("completedOrder", (contract, order, state) =>
      say("completed", { contract: contractRow(contract), order: orderRow(order), state: stateRow(state) }));
    this.on("completedOrdersEnd", () => say("completed_end"));
    this.on("orderBound", (perm, client, order) => say("bound", { perm_id: perm, client_id: client, order_id: order }));
  }
}

function contractOf({ legs, primaryExchange, ...fields }) {
  const comboLegs = legs?.map(([conId, ratio, action, exchange]) => ({ conId, ratio, action, exchange }));
  return { ...fields, ...(primaryExchange && { primaryExch: primaryExchange }), ...(comboLegs && { comboLegs }) };
}

function orderOf({ conditions: asked, algoParams, ...fields }) {
  const order = { transmit: true, ...fields };
  if (asked) order.conditions = asked.map(conditionOf);
  if (algoParams) order.algoParams = algoParams.map(([tag, value]) => ({ tag, value }));
  return order;
}

function conditionOf({ kind, conjunction = "a", isMore, ...a }) {
  const made = {
    price: () => new (condition("price"))(a.price, a.triggerMethod ?? 0, a.conId, a.exchange, isMore, conjunction),
    time: () => new (condition("time"))(a.time, isMore, conjunction),
    margin: () => new (condition("margin"))(a.percent, isMore, conjunction),
    execution: () => new (condition("execution"))(a.exchange, a.secType, a.symbol, conjunction),
    volume: () => new (condition("volume"))(a.volume, a.conId, a.exchange, isMore, conjunction),
    percentchange: () =>
      new (condition("percent-change"))(a.changePercent, a.conId, a.exchange, isMore, conjunction),
  };
  return made[kind]();
}

const OPS = {
  disconnect: ({ ib }) => ib.disconnect(),
  order_id: (s) => s.say("order_id", { order_id: s.nextId++ }),
  next_id: ({ ib }) => ib.reqIds(),
  time: ({ ib }) => ib.reqCurrentTime(),
  details: ({ ib }, a) => ib.reqContractDetails(a.req, contractOf(a.contract)),
  symbols: ({ ib }, a) => ib.reqMatchingSymbols(a.req, a.pattern),
  chain: ({ ib }, a) => ib.reqSecDefOptParams(a.req, a.symbol, a.exchange, a.secType, a.conId),
  rule: ({ ib }, a) => ib.reqMarketRule(a.rule),
  data_type: ({ ib }, a) => ib.reqMarketDataType(a.kind),
  market_data: ({ ib }, a) => ib.reqMktData(a.req, contractOf(a.contract), a.ticks, a.snapshot, false),
  cancel_market_data: ({ ib }, a) => ib.cancelMktData(a.req),
  tick_by_tick: ({ ib }, a) => ib.reqTickByTickData(a.req, contractOf(a.contract), a.kind, 0, false),
  cancel_tick_by_tick: ({ ib }, a) => ib.cancelTickByTickData(a.req),
  depth: ({ ib }, a) => ib.reqMktDepth(a.req, contractOf(a.contract), a.rows, a.smart),
  cancel_depth: ({ ib }, a) => ib.cancelMktDepth(a.req, a.smart),
  live_bars: ({ ib }, a) => ib.reqRealTimeBars(a.req, contractOf(a.contract), 5, a.what, false),
  cancel_live_bars: ({ ib }, a) => ib.cancelRealTimeBars(a.req),
  history: ({ ib }, a) =>
    ib.reqHistoricalData(
      a.req, contractOf(a.contract), a.end, a.duration, a.size, a.what, a.rth ? 1 : 0, a.format, a.keep,
    ),
  cancel_history: ({ ib }, a) => ib.cancelHistoricalData(a.req),
  head: ({ ib }, a) => ib.reqHeadTimestamp(a.req, contractOf(a.contract), a.what, true, a.format),
  past_ticks: ({ ib }, a) =>
    ib.reqHistoricalTicks(a.req, contractOf(a.contract), a.start, a.end, a.count, a.what, 1, false),
  histogram: ({ ib }, a) => ib.reqHistogramData(a.req, contractOf(a.contract), a.rth, a.days, "DAY"),
  bulletins: ({ ib }, a) => (a.on ? ib.reqNewsBulletins(true) : ib.cancelNewsBulletins()),
  scan: ({ ib }, a) => {
    const wanted = { instrument: "STK", locationCode: "STK.US.MAJOR", scanCode: ScanCode[a.code], numberOfRows: a.rows };
    ib.reqScannerSubscription(a.req, wanted);
  },
  cancel_scan: ({ ib }, a) => ib.cancelScannerSubscription(a.req),
  calendar: ({ ib }, a) => ib.reqWshMetaData(a.req),
  values: ({ ib }, a) => ib.reqAccountUpdates(true, a.account),
  stop_values: ({ ib }, a) => ib.reqAccountUpdates(false, a.account),
  multi_values: ({ ib }, a) => ib.reqAccountUpdatesMulti(a.req, a.account, "", true),
  summary: ({ ib }, a) => ib.reqAccountSummary(a.req, "All", a.tags),
  cancel_summary: ({ ib }, a) => ib.cancelAccountSummary(a.req),
  positions: ({ ib }) => ib.reqPositions(),
  multi_positions: ({ ib }, a) => ib.reqPositionsMulti(a.req, a.account, ""),
  pnl: ({ ib }, a) => ib.reqPnL(a.req, a.account, ""),
  cancel_pnl: ({ ib }, a) => ib.cancelPnL(a.req),
  pnl_single: ({ ib }, a) => ib.reqPnLSingle(a.req, a.account, "", a.conId),
  cancel_pnl_single: ({ ib }, a) => ib.cancelPnLSingle(a.req),
  place: ({ ib }, a) => ib.placeOrder(a.order_id, contractOf(a.contract), orderOf(a.order)),
  what_if: ({ ib }, a) =>
    ib.placeOrder(a.order_id, contractOf(a.contract), orderOf({ ...a.order, whatIf: true })),
  exercise: ({ ib }, a) =>
    ib.exerciseOptions(a.req, contractOf(a.contract), a.action, a.quantity, a.account, a.override),
  cancel: ({ ib }, a) => ib.cancelOrder(a.order_id),
  global_cancel: ({ ib }) => ib.reqGlobalCancel(),
  open_orders: ({ ib }) => ib.reqOpenOrders(),
  all_open_orders: ({ ib }) => ib.reqAllOpenOrders(),
  auto_bind: ({ ib }, a) => ib.reqAutoOpenOrders(a.bind),
  completed: ({ ib }, a) => ib.reqCompletedOrders(a.api_only),
  executions: ({ ib }, a) => ib.reqExecutions(a.req, a.filter),
  call: (s, a) => {
    if (typeof s.ib[a.method] !== "function") {
      s.say("unsupported", { op: "call", text: `has no ${a.method}` });
      return;
    }
    const made = a.arguments.map((one) => (one === "scanner" ? {} : one?.symbol ? contractOf(one) : one));
    s.ib[a.method](...(a.req === null ? [] : [a.req]), ...made);
  },
};

const sessions = new Map();
for await (const line of createInterface({ input: process.stdin })) {
  const { session: name = "main", op, arguments: given = {} } = JSON.parse(line);
  try {
    if (op === "connect") sessions.set(name, new Session(name, given));
    else OPS[op](sessions.get(name), given);
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ session: name, event: "failed", op, text: error.stack })}\n`);
  }
}
process.exit(0);
