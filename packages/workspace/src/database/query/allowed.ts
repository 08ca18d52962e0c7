/** What a filter may ask of a field. */
export const FIELD_TESTS: ReadonlySet<string> = new Set([
  ...["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$exists", "$type", "$size", "$mod", "$not"],
  ...["$all", "$elemMatch", "$regex", "$options"],
]);

/** What joins filters, and `$expr`, which takes an expression. */
export const FILTER_JOINS: ReadonlySet<string> = new Set(["$and", "$or", "$nor"]);

/**
 * What an expression may do. Code (`$function`, `$accumulator`), what walks over a list of its own
 * making (`$map`, `$filter`, `$reduce`, `$range`, `$zip`) and what joins lists is not among them:
 * the server's time limit does not end them within one document.
 */
export const EXPRESSIONS: ReadonlySet<string> = new Set([
  ...["$abs", "$add", "$ceil", "$divide", "$exp", "$floor", "$ln", "$log", "$log10", "$mod", "$multiply", "$pow"],
  ...["$round", "$sqrt", "$subtract", "$trunc", "$sin", "$cos", "$tan", "$asin", "$acos", "$atan", "$atan2"],
  ...["$degreesToRadians", "$radiansToDegrees"],
  ...["$and", "$or", "$not", "$cmp", "$eq", "$gt", "$gte", "$lt", "$lte", "$ne", "$cond", "$ifNull", "$switch"],
  ...["$arrayElemAt", "$first", "$last", "$in", "$isArray", "$size", "$slice", "$indexOfArray", "$mergeObjects"],
  ...["$concat", "$substrCP", "$strLenCP", "$strcasecmp", "$toLower", "$toUpper", "$trim", "$ltrim", "$rtrim"],
  ...["$dateAdd", "$dateDiff", "$dateFromParts", "$dateFromString", "$dateSubtract", "$dateToParts", "$dateToString"],
  ...["$dateTrunc", "$dayOfMonth", "$dayOfWeek", "$dayOfYear", "$hour", "$millisecond", "$minute", "$month", "$second"],
  ...["$week", "$year", "$isoDayOfWeek", "$isoWeek", "$isoWeekYear"],
  ...["$convert", "$isNumber", "$toBool", "$toDate", "$toDecimal", "$toDouble", "$toInt", "$toLong", "$toString"],
  ...["$type", "$literal", "$getField", "$binarySize", "$bsonSize"],
  ...["$sum", "$avg", "$min", "$max", "$count", "$push", "$addToSet", "$stdDevPop", "$stdDevSamp", "$top", "$bottom"],
  ...["$firstN", "$lastN", "$maxN", "$minN", "$topN", "$bottomN"],
  ...[
    "$rank",
    "$denseRank",
    "$documentNumber",
    "$shift",
    "$derivative",
    "$integral",
    "$expMovingAvg",
    "$covariancePop",
  ],
  ...["$covarianceSamp", "$locf", "$linearFill"],
]);

/** What an expression may read beside fields; others tell of the server's users. */
export const VARIABLES: ReadonlySet<string> = new Set(["$$ROOT", "$$CURRENT", "$$NOW", "$$REMOVE"]);

/** How the argument of a stage is judged. */
export type StageKind = "filter" | "expression" | "sort" | "count" | "name" | "pipelines";

/**
 * What a pipeline may consist of. Not among them: what writes (`$out`, `$merge`), what reads
 * another
 * collection or database (`$lookup`, `$graphLookup`, `$unionWith`), and what tells of the server.
 */
export const STAGES: ReadonlyMap<string, StageKind> = new Map<string, StageKind>([
  ["$match", "filter"],
  ["$project", "expression"],
  ["$addFields", "expression"],
  ["$set", "expression"],
  ["$unset", "expression"],
  ["$group", "expression"],
  ["$bucket", "expression"],
  ["$bucketAuto", "expression"],
  ["$sortByCount", "expression"],
  ["$unwind", "expression"],
  ["$replaceRoot", "expression"],
  ["$replaceWith", "expression"],
  ["$setWindowFields", "expression"],
  ["$sample", "expression"],
  ["$sort", "sort"],
  ["$limit", "count"],
  ["$skip", "count"],
  ["$count", "name"],
  ["$facet", "pipelines"],
]);
