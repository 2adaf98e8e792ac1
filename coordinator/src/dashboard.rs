//! The dashboard page, embedded: plain files without a build step, served with a policy that lets the page load
//! nothing but itself.
//!
//! The page reads `/api/v1/watch` like any other client; nothing here knows the fleet.

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

/// Only this origin, no inline script or style, no frames around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// One embedded file.
#[derive(Clone, Copy)]
struct File {
    path: &'static str,
    media_type: &'static str,
    text: &'static str,
}

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

const FILES: [File; 6] = [
    File { path: "/", media_type: HTML, text: include_str!("../web/index.html") },
    File { path: "/dashboard/main.js", media_type: SCRIPT, text: include_str!("../web/main.js") },
    File { path: "/dashboard/model.js", media_type: SCRIPT, text: include_str!("../web/model.js") },
    File { path: "/dashboard/page.js", media_type: SCRIPT, text: include_str!("../web/page.js") },
    File {
        path: "/dashboard/style.css",
        media_type: "text/css; charset=utf-8",
        text: include_str!("../web/style.css"),
    },
    File { path: "/dashboard/icon.svg", media_type: "image/svg+xml", text: include_str!("../web/icon.svg") },
];

/// Serves the page at `/` and its files under `/dashboard/`.
pub fn router() -> Router {
    FILES
        .into_iter()
        .fold(Router::new(), |router, file| router.route(file.path, get(async move || serve(file))))
}

fn serve(file: File) -> Response {
    let headers = [
        (header::CONTENT_TYPE, file.media_type),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        // A newer coordinator serves newer files under the same names.
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers.map(|(name, value)| (name, HeaderValue::from_static(value))), file.text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_that_the_page_names_is_served_and_comes_from_here() {
        let page = FILES[0].text;
        let named = page.split(['"', '\'']).filter(|text| text.starts_with("dashboard/"));
        let mut count = 0;
        for path in named {
            assert!(
                FILES.iter().any(|file| file.path.trim_start_matches('/') == path),
                "{path} is not served"
            );
            count += 1;
        }
        assert_eq!(count, 3);
        assert!(
            FILES.iter().all(|file| !file.text.contains("https://")),
            "a file loads something from elsewhere"
        );
    }

    #[test]
    fn the_page_may_load_nothing_but_itself() {
        let response = serve(FILES[0]);
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(response.headers()[header::CONTENT_TYPE], HTML);
        let page = FILES[0].text;
        assert!(
            !page.contains("<style") && !page.contains("style=") && !page.contains("onclick"),
            "inline code"
        );
    }
}
